"""`flask check-release`: does the code in this folder start and become ready?

A release that cannot be imported ends gunicorn when it reloads. So a new release is first started
beside the running one, with the same settings, on a private socket.
"""

import socket
import subprocess
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import click
from flask import current_app

from app.cli.processes import CannotStart, programs_environment, running
from app.config import Settings
from app.health.probe import NO_ANSWER, ask_readyz

START_SECONDS = 30


class SocketConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


@click.command("check-release")
def check_release_command() -> None:
    """Start this release beside the running one, see whether it becomes ready, and stop it."""
    check_release(current_app.config["SETTINGS"])
    click.echo("This release starts and is ready.")


def check_release(settings: Settings) -> None:
    """Raise CannotStart if this release does not start and become ready with these settings."""
    with tempfile.TemporaryDirectory(prefix="gazetteer-check-") as name:
        path, log = Path(name) / "socket", Path(name) / "log"
        options = ["-c", "gunicorn.conf.py", "--bind", f"unix:{path}", "--workers", "1"]
        environment = programs_environment(settings.instance)
        with running("gunicorn", *options, "app.wsgi:app", log=log, env=environment) as process:
            problem = wait_until_ready(path, process)
        if problem:
            click.echo(log.read_text(), err=True)
            raise CannotStart(f"This release is not ready: {problem}.")


def wait_until_ready(path: Path, process: "subprocess.Popen[bytes]") -> str | None:
    """Wait for an answer from /readyz. Returns None if the release is ready, otherwise why not."""
    deadline = time.monotonic() + START_SECONDS
    problem: str | None = NO_ANSWER
    while problem == NO_ANSWER and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        problem = ask_readyz(SocketConnection(path))
    return problem
