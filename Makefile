# `make` alone lists the commands.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
export PYTHON
BIN := .venv/bin

PO := $(wildcard translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
ICON_SOURCES := $(shell find templates static/js -type f) app/web/assets/vendor.py $(shell find app -name __init__.py)
COMMON_PASSWORDS := app/auth/common-passwords.txt
PREPARED := $(MO) static/vendor/icons.svg $(COMMON_PASSWORDS)

# Four processes for two processors, because many tests wait; each has its own servers and folders,
# and one that is idle takes tests of another.
PYTEST := $(BIN)/pytest -q -n 4 --dist worksteal

.PHONY: help run demo dev install check test soak bench growth pictures lint lock translations clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */ /' | \
		while read -r name text; do printf 'make %-14s%s\n' "$$name" "$$text"; done

run: programs-run .venv/run $(PREPARED)  ## start everything on this machine; PORT=9000 and HOST=... set the address
	@$(BIN)/flask start

demo: programs-run .venv/run $(PREPARED)  ## the same in a temporary folder, with sample cities, files and accounts
	@$(BIN)/flask demo

dev: programs-run .venv/run $(PREPARED)  ## run for development: reload on changes, sample data in instance/dev
	@$(BIN)/flask dev

install: .venv/run $(PREPARED)  ## install dependencies and build assets without starting anything

check: .venv/dev lint $(PREPARED)  ## before each commit: linters, and the tests on SQLite and Redis
	$(PYTEST) --ignore tests/browser --ignore tests/deploy \
		-m "not mariadb and not browser and not deploy and not soak and not bench"

test: programs-test .venv/dev lint $(PREPARED)  ## all tests; root gets missing programs installed first
	$(PYTEST) -m "not soak and not bench"

soak: programs-test programs-bench .venv/dev $(PREPARED)  ## load, gigabytes, a million cities, half an hour of faults; SOAK_MINUTES=4 for less of those
	$(BIN)/pytest -q -s -m soak

bench: programs-bench .venv/dev $(PREPARED)  ## speed beside a plain Flask application, 12 minutes; ROWS=1000000, ROUNDS=1
	$(BIN)/python -m tests.benchmarks.run

growth: programs-bench .venv/dev $(PREPARED)  ## the cost of each page with 10^3 to 10^6 cities, 40 minutes; SIZES=1000,10000
	$(BIN)/python -m tests.benchmarks.growth

pictures: programs-test .venv/dev $(PREPARED)  ## screenshots of every page in pictures/
	$(BIN)/python -m tests.browser.pictures

lint: .venv/dev  ## ruff, mypy, djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates

lock: .venv/dev  ## update the pinned dependencies from pyproject.toml
	$(BIN)/uv pip compile $(LOCK) -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header pyproject.toml

translations: .venv/dev  ## extract translatable texts into the translation files
	$(BIN)/pybabel -q extract -F babel.cfg -k _l -k lazy_pgettext:1c,2 -k lazy_ngettext:1,2 --no-location --ignore-dirs ".*" -o translations/messages.pot .
	$(BIN)/python scripts/update_translations.py translations/messages.pot $(PO)

clean:  ## remove generated files, except instance/ and .env
	rm -rf .venv static/vendor $(COMMON_PASSWORDS) pictures .mypy_cache .ruff_cache $(MO)
	find app tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# System packages: all that a command needs are checked together, before anything else.
.PHONY: programs-run programs-test programs-bench
programs-run programs-test programs-bench:
	@scripts/debian-packages $(@:programs-%=%)

# The virtual environment is updated when the pinned dependencies change. The files `run` and `dev`
# in it say which of the two lists is installed; dev.txt includes run.txt.
.venv/run: requirements/run.txt
	@if [ ! -e .venv/dev ]; then scripts/virtual-environment requirements/run.txt; fi
	@touch $@

.venv/dev: requirements/dev.txt
	@scripts/virtual-environment requirements/dev.txt
	@touch .venv/run $@

%.mo: %.po | .venv/run
	@$(BIN)/pybabel -q compile -i $< -o $@

static/vendor/icons.svg: $(ICON_SOURCES) app/auth/common_passwords.py .venv/run
	@$(BIN)/flask build-assets

# Made together with the icons.
$(COMMON_PASSWORDS): static/vendor/icons.svg
	@test -e $@ || $(BIN)/flask build-assets
	@touch $@
