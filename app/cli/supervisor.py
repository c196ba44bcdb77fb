"""Supervisor: whether it runs, its configuration, the programs that it cannot start."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Error as XmlRpcError
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from app.cli.processes import CannotStart, answers
from app.config import ROOT, Settings, short_socket

AWAY = (OSError, HTTPException, XmlRpcError)


def socket_file(settings: Settings) -> Path:
    """The socket through which supervisorctl talks to supervisor."""
    return short_socket(settings.instance, "supervisor.sock")


def check_not_running(settings: Settings) -> None:
    """Raise CannotStart if the supervisor of this instance folder is running."""
    if answers(socket_file(settings)):
        raise CannotStart(f"Gazetteer is already running in {settings.instance}; stop it first.")


def config_file(settings: Settings) -> Path:
    """The path of the supervisor.conf to use: that of the checkout, or a copy with other paths if
    the instance folder is elsewhere or its path is too long for a socket."""
    if "%" in f"{ROOT}{settings.instance}":
        raise CannotStart("supervisor cannot work in a folder with % in its path.")
    original = ROOT / "supervisor.conf"
    path = socket_file(settings)
    if path == ROOT / "instance" / "supervisor.sock":
        return original
    path.parent.mkdir(mode=0o700, exist_ok=True)
    text = original.read_text()
    for placeholder, value in (
        ("%(here)s/instance/supervisor.sock", path),
        ("%(here)s/instance", settings.instance),
        ("%(here)s", ROOT),
    ):
        text = text.replace(placeholder, str(value))
    copy = settings.instance / "supervisor.conf"
    copy.write_text(text)
    return copy


def prepare_config(settings: Settings) -> str:
    """Write the supervisor.conf to use. Returns a hint to print, which is empty if that of the
    checkout is used. One that starts another release is not changed: that may be running."""
    for folder in (settings.instance, settings.instance.parent):
        path = folder / "supervisor.conf"
        if folder != ROOT and path.exists() and f'"{ROOT}/.venv/' not in path.read_text():
            return f"{path} is not changed: it starts the release in another folder."
    path = config_file(settings)
    if path.parent == ROOT:
        return ""
    return f"Run supervisord and supervisorctl with: -c {path}"


@contextmanager
def methods(settings: Settings) -> Iterator[Any]:
    """The methods of the running supervisor that supervisorctl uses, or one of the errors AWAY."""
    transport = SupervisorTransport(None, None, f"unix://{socket_file(settings)}")
    try:
        yield cast(Any, ServerProxy("http://supervisor", transport=transport)).supervisor
    finally:
        transport.close()


def failed_programs(settings: Settings) -> str:
    """The programs that supervisor has given up on. The request also wakes supervisor, which would
    otherwise wait for a second before it starts them."""
    try:
        with methods(settings) as running:
            found = running.getAllProcessInfo()
    except AWAY:
        return ""
    return " and ".join(program["name"] for program in found if program["statename"] == "FATAL")
