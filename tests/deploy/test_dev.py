"""`make dev` in a copy of the checkout, whose files are changed while it runs."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from app.cli.run import is_loopback
from app.config import ROOT
from tests import servers
from tests.site import Site

COPIED = ("app", "gunicorn.conf.py", "migrations", "static", "templates", "translations")
LOGIN = "templates/auth/login.html"
HEALTH = "app/health/views.py"
CHINESE = {"Accept-Language": "zh"}


class Development:
    """One run of `flask dev` in a copy of the checkout."""

    def __init__(self, checkout: Path, **env: str) -> None:
        self.checkout = checkout
        self.port = servers.free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.output_file = checkout / f"output-{self.port}"
        with self.output_file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "dev"],
                cwd=checkout, start_new_session=True, stdout=out, stderr=out,
                env={**os.environ, "PORT": str(self.port), **env},
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def passwords(self) -> dict[str, str]:
        """The passwords that it printed, by account name."""
        return dict(re.findall(r"^  (Ada|Lin|Wei) +(\S+) +\w+$", self.output, re.MULTILINE))

    def wait_until_ready(self) -> None:
        servers.wait_until(lambda: f"Gazetteer is at {self.base};" in self.output, "it is ready")

    def page(self, path: str = "/login", **headers: str) -> str:
        """The text of a page."""
        return requests.get(self.base + path, headers=headers, timeout=60).text

    def wait_for(self, text: str, path: str = "/login", **headers: str) -> None:
        """Wait until the page contains this text."""

        def has_text() -> bool:
            try:
                return text in self.page(path, **headers)
            except requests.ConnectionError:
                return False

        servers.wait_until(has_text, f"{path} says {text}")

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of the checkout."""
        file = self.checkout / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def interrupt(self) -> int:
        """Press Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def development(checkout: Path) -> Iterator[Development]:
    """`flask dev` when it is ready."""
    run = Development(checkout)
    try:
        run.wait_until_ready()
        yield run
    finally:
        servers.stop(run.process, number=signal.SIGINT)


@pytest.fixture
def checkout(folder: Path) -> Path:
    """A copy of the files that `flask dev` runs."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    return folder


def test_changes_are_loaded_and_accounts_outlive_a_restart(checkout):
    with development(checkout) as run:
        first = run.passwords
        assert set(first) == {"Ada", "Lin", "Wei"}
        site = Site(run.base)
        for name, password in first.items():
            site.sign_in(name, password)
        assert "深圳市" in site.clients["Wei"].get(f"{run.base}/cities", timeout=60).text
        run.edit(LOGIN, "{% block content %}", "{% block content %}A new template")
        run.wait_for("A new template")
        run.edit(HEALTH, '"alive"', '"reloaded"')
        run.wait_for("reloaded", "/healthz")
        run.edit("translations/zh/LC_MESSAGES/messages.po", 'msgstr "登录"', 'msgstr "新的登录"')
        run.wait_for("新的登录", **CHINESE)
        address = re.search(r'"(/static/[^"]+/gazetteer\.css)"', run.page())
        assert address
        run.edit("static/gazetteer.css", ":root", "/* a new style */ :root")
        run.wait_for("a new style", address[1])
        run.edit(HEALTH, "from flask", "import mistyped\nfrom flask")
        servers.wait_until(lambda: "waiting for a change" in run.output, "the error is shown")
        assert "No module named 'mistyped'" in run.output
        run.edit(HEALTH, "import mistyped\n", "")
        run.wait_for("reloaded", "/healthz")
        assert run.interrupt() == 0
        assert servers.processes_of(checkout / "instance" / "dev") == []
    with development(checkout) as run:
        assert run.passwords == first
        site.base = run.base
        page = site.clients["Ada"].get(f"{run.base}/account", allow_redirects=False, timeout=60)
        assert page.status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.0.2.1", False),
        ("example.org", False),
    ],
)
def test_addresses_of_this_machine_only(host, expected):
    assert is_loopback(host) is expected


def test_it_listens_on_this_machine_only(checkout):
    run = Development(checkout, HOST="::")
    assert run.process.wait(60) == 2
    assert "on this machine only, not on HOST=::" in run.output
