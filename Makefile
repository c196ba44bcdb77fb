# The commands people type. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
export PYTHON
BIN := .venv/bin

PO := $(wildcard translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
ICON_SOURCES := $(shell find templates static/js -type f) app/web/static_files.py $(wildcard app/*/__init__.py)
PREPARED := $(MO) static/vendor/icons.svg

# Two processes, each with servers and folders of its own; one that is done takes tests of the other.
PYTEST := $(BIN)/pytest -q -n 2 --dist worksteal

.PHONY: help run demo dev install check test soak bench pictures lint lock translations clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */ /' | \
		while read -r name text; do printf 'make %-14s%s\n' "$$name" "$$text"; done

run: programs-run .venv/run $(PREPARED)  ## start everything here; PORT=9000 and HOST=... choose another address
	@$(BIN)/flask start

demo: programs-run .venv/run $(PREPARED)  ## the same in a throw-away folder, with sample cities, files and three accounts
	@$(BIN)/flask demo

dev: programs-run .venv/run $(PREPARED)  ## the same for changing the code: reloads on a change, sample data in instance/dev
	@$(BIN)/flask dev

install: .venv/run $(PREPARED)  ## only make ready what the programs need; a server starts them itself

check: .venv/dev lint $(PREPARED)  ## before each commit: lint, and the tests on SQLite and Redis
	$(PYTEST) -m "not mariadb and not browser and not deploy and not soak and not bench"

test: programs-test .venv/dev lint $(PREPARED)  ## every test; as root it first installs what they need
	$(PYTEST) -m "not soak and not bench"

soak: programs-test .venv/dev $(PREPARED)  ## the long repetitions
	$(BIN)/pytest -q -m soak

bench: programs-bench .venv/dev $(PREPARED)  ## measure, and print one table
	$(BIN)/python -m tests.benchmarks.run

pictures: programs-test .venv/dev $(PREPARED)  ## photograph every page into pictures/
	$(BIN)/python -m tests.browser.pictures

lint: .venv/dev  ## ruff, mypy, djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates

lock: .venv/dev  ## renew the pinned dependencies from pyproject.toml
	$(BIN)/uv pip compile $(LOCK) -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header pyproject.toml

translations: .venv/dev  ## collect the texts of pages into the files of translations
	$(BIN)/pybabel -q extract -F babel.cfg -k _l --no-location --ignore-dirs ".*" -o translations/messages.pot .
	$(BIN)/pybabel -q update -i translations/messages.pot -d translations --no-fuzzy-matching --no-wrap --ignore-pot-creation-date --ignore-obsolete

clean:  ## remove what can be made again; instance/ and .env stay
	rm -rf .venv static/vendor pictures .mypy_cache .ruff_cache $(MO)
	find app tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# Programs of the machine: those of one command are asked for together, before anything else.
.PHONY: programs-run programs-test programs-bench
programs-run programs-test programs-bench:
	@scripts/debian-packages $(@:programs-%=%)

# The virtual environment is made anew when the pinned dependencies change. The files `run` and
# `dev` in it say which of the two lists it holds in full; dev.txt includes what run.txt has.
.venv/run: requirements/run.txt
	@if [ ! -e .venv/dev ]; then scripts/virtual-environment requirements/run.txt; fi
	@touch $@

.venv/dev: requirements/dev.txt
	@scripts/virtual-environment requirements/dev.txt
	@touch .venv/run $@

%.mo: %.po | .venv/run
	@$(BIN)/pybabel -q compile -i $< -o $@

static/vendor/icons.svg: $(ICON_SOURCES) .venv/run
	@$(BIN)/flask build-assets
