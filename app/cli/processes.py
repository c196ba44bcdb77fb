"""The programs that commands run: their environment, how they start and stop."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click
from dotenv import dotenv_values

from app.config import ROOT, env_file

STOP_SECONDS = 10


class CannotStart(click.ClickException):
    """An error message in one sentence; the exit status is 2."""

    exit_code = 2


class Stop:
    """Notices a request to stop this process: Ctrl-C, a closed terminal, TERM."""

    def __init__(self) -> None:
        self.requested = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.request)

    def request(self, _number: int, _frame: object) -> None:
        self.requested = True


def answers(path: Path) -> bool:
    """True if something listens on the unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def own_environment() -> dict[str, str]:
    """Our environment without the values that the flask command loaded from the env file. Values
    that differ from the file (`make run PORT=8001`) stay."""
    from_file = dotenv_values(env_file())
    return {name: value for name, value in os.environ.items() if from_file.get(name) != value}


def programs_environment(instance: Path) -> dict[str, str]:
    """The environment of our programs. They read the env file themselves, so that a reload picks up
    changes."""
    return {**own_environment(), "INSTANCE": str(instance)}


@contextmanager
def running(
    *command: str, log: Path | None = None, env: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in its own session, which Ctrl-C does not reach, and stop it afterwards."""
    with log.open("ab") if log else nullcontext() as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=env, start_new_session=True, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # stops gunicorn at once, Redis after writing its data
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
