"""`make run`: prepare folders and database, start supervisor, print the address, wait, stop.

Supervisor runs in its own session, so that neither Ctrl-C nor a closed terminal window reaches its
programs: this process gets the signal and has supervisor stop them in order.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from xmlrpc.client import Error as XmlRpcError
from xmlrpc.client import ServerProxy

import click
from dotenv import dotenv_values
from flask import current_app
from supervisor.xmlrpc import SupervisorTransport

from app.auth import queries
from app.config import ROOT, Settings, env_file, short_socket
from app.database.engine import db
from app.database.schema import SchemaError, bring_up_to_date
from app.health.probe import ask_readyz
from app.setup import services as setup
from app.web.assets import static_files

HINT_SECONDS = 15
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class CannotStart(click.ClickException):
    """An error message in one sentence; the exit status is 2."""

    exit_code = 2


def prepare(settings: Settings) -> None:
    """Create the folders, the database and its tables, if they are missing or outdated."""
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in ("log", "nginx"):
            (settings.instance / folder).mkdir(exist_ok=True)
        settings.files_dir.mkdir(parents=True, exist_ok=True)
        static_files.copy_build(settings.instance)
    except OSError as error:
        what, why = error.filename or settings.instance, error.strerror or error
        raise CannotStart(f"{what} cannot be created: {why}.") from None
    try:
        bring_up_to_date(settings.database_url)
    except SchemaError as error:
        raise CannotStart(str(error)) from None


def check_address(settings: Settings) -> None:
    """Raise CannotStart if we cannot listen on the configured host and port."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            probe.listen(1)  # only this fails if another process listens on all addresses
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = (
                    f"Port {settings.port} is taken; stop what uses it, or choose another: "
                    f"make run PORT={settings.port + 1 if settings.port < 65535 else 8000}"
                )
            elif error.errno == errno.EACCES:
                reason = f"Port {settings.port} is reserved for root; set PORT to 1024 or higher."
            else:
                reason = f"HOST={settings.host} is not an address of this machine."
            raise CannotStart(reason) from None


def check_not_running(settings: Settings) -> None:
    """Raise CannotStart if the supervisor of this instance folder is running."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(supervisor_socket(settings)))
        except OSError:
            return
    raise CannotStart(f"Gazetteer is already running in {settings.instance}; stop it first.")


def supervisor_socket(settings: Settings) -> Path:
    """The socket through which supervisorctl talks to supervisor."""
    return short_socket(settings.instance, "supervisor.sock")


def supervisor_config(settings: Settings) -> Path:
    """The path of the supervisor.conf to use: that of the checkout, or a copy with other paths if
    the instance folder is elsewhere or its path is too long for a socket."""
    if "%" in f"{ROOT}{settings.instance}":
        raise CannotStart("supervisor cannot work in a folder with % in its path.")
    original = ROOT / "supervisor.conf"
    path = supervisor_socket(settings)
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


def prepare_supervisor(settings: Settings) -> str:
    """Write the supervisor.conf to use. Returns a hint to print, which is empty if that of the
    checkout is used. One that starts another release is not changed: that may be running."""
    for path in (
        settings.instance / "supervisor.conf",
        settings.instance.parent / "supervisor.conf",
    ):
        if path.parent != ROOT and path.exists() and f'"{ROOT}/.venv/' not in path.read_text():
            return f"{path} is not changed: it starts the release in another folder."
    path = supervisor_config(settings)
    if path.parent == ROOT:
        return ""
    return f"Run supervisord and supervisorctl with: -c {path}"


def programs_environment(settings: Settings) -> dict[str, str]:
    """Our environment without the values that the flask command loaded from the env file: the
    programs read that file themselves, so that a reload picks up changes."""
    from_file = dotenv_values(env_file())
    ours = {name: value for name, value in os.environ.items() if from_file.get(name) != value}
    return {**ours, "INSTANCE": str(settings.instance)}


def run(settings: Settings, when_ready: Callable[[], None]) -> int:
    """Start supervisor, call `when_ready` once /readyz answers, and wait until Ctrl-C, a closed
    terminal or TERM stops everything. Returns the exit status."""
    signals: list[int] = []
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", supervisor_config(settings)],
        env=programs_environment(settings),
        cwd=ROOT,
        start_new_session=True,
    )

    def stop(number: int, _frame: object) -> None:
        if not signals:
            signals.append(number)
            process.terminate()
            # Not echo(), which this may have interrupted. The terminal may be closed.
            with suppress(OSError):
                os.write(sys.stdout.fileno(), b"\nStopping ...\n")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        if wait_until_ready(settings, lambda: process.poll() is None and not signals):
            when_ready()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    status = process.wait()
    return 0 if signals else status


def wait_until_ready(settings: Settings, is_running: Callable[[], bool]) -> bool:
    """Wait until /readyz is ready; prints what the problem is if that takes long. False if the
    programs stopped before."""
    start, printed = time.monotonic(), {""}
    while is_running():
        failed = failed_programs(settings)
        connection = HTTPConnection(reachable(settings), settings.port, timeout=3)
        problem = f"{failed} cannot be started" if failed else ask_readyz(connection)
        if problem is None:
            return True
        if problem not in printed and (failed or time.monotonic() - start > HINT_SECONDS):
            printed.add(problem)
            click.echo(f"Not ready: {problem}. See the logs in {settings.instance}/log.", err=True)
        time.sleep(0.05)
    return False


def failed_programs(settings: Settings) -> str:
    """The programs that supervisor has given up on. The request also wakes supervisor, which would
    otherwise wait for a second before it starts them."""
    socket_url = f"unix://{supervisor_socket(settings)}"
    transport = SupervisorTransport(None, None, socket_url)
    try:
        proxy: Any = ServerProxy("http://supervisor", transport=transport)
        found = proxy.supervisor.getAllProcessInfo()
    except (OSError, HTTPException, XmlRpcError):
        return ""
    finally:
        transport.close()
    return " and ".join(program["name"] for program in found if program["statename"] == "FATAL")


def reachable(settings: Settings) -> str:
    """The host to connect to from this machine."""
    return ANY_ADDRESS.get(settings.host, settings.host)


def address(settings: Settings) -> str:
    """The URL to open in a browser on this machine."""
    host = reachable(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def is_loopback(host: str) -> bool:
    """True if only this machine can connect."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def warn_without_tls(settings: Settings) -> None:
    """Warn if other machines would send passwords unencrypted."""
    if not (is_loopback(settings.host) or settings.secure):
        click.echo(
            f"Warning: listening on {settings.host} without TLS; passwords are sent unencrypted. "
            "docs/operating.md explains how to put nginx with TLS in front.",
            err=True,
        )


@click.command("prepare")
def prepare_command() -> None:
    """Create or update folders, database and tables; run once for each release."""
    settings: Settings = current_app.config["SETTINGS"]
    prepare(settings)
    click.echo(f"Ready to start. Data is in {settings.instance}.")
    if hint := prepare_supervisor(settings):
        click.echo(hint)
    if not queries.any_person_exists():
        click.echo("There is no administrator yet; for the link: .venv/bin/flask setup-link")


@click.command("start")
def start_command() -> None:
    """Start everything in the foreground; Ctrl-C stops it."""
    settings: Settings = current_app.config["SETTINGS"]
    check_not_running(settings)
    check_address(settings)
    prepare(settings)
    claimed = queries.any_person_exists()
    db.session.remove()
    db.engine.dispose()
    warn_without_tls(settings)

    def announce() -> None:
        click.echo(f"Gazetteer is at {address(settings)}")
        if not claimed:
            link = f"{address(settings)}{setup.create_link_path()}"
            click.echo(f"Create the administrator (this link works once, for a day):\n  {link}")
        click.echo(f"Data is in {settings.instance}. Press Ctrl-C to stop.")

    sys.exit(run(settings, announce))
