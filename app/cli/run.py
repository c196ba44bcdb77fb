"""What `make run` does: make everything ready, start supervisor, tell the address, wait, end.

Supervisor gets a session of its own, so that neither Ctrl-C nor a closed terminal window reaches
its programs directly: this process hears them, and has supervisor end everything in good order.
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
from app.web import static_files

HINT_SECONDS = 15
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class CannotStart(click.ClickException):
    """One sentence, and exit status 2."""

    exit_code = 2


def prepare(settings: Settings) -> None:
    """Folders, the database and its tables: everything the programs need to find."""
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in ("log", "nginx"):
            (settings.instance / folder).mkdir(exist_ok=True)
        settings.files_dir.mkdir(parents=True, exist_ok=True)
        static_files.copy_build(settings.instance)
    except OSError as error:
        what, why = error.filename or settings.instance, error.strerror or error
        raise CannotStart(f"{what} cannot be made: {why}.") from None
    try:
        bring_up_to_date(settings.database_url)
    except SchemaError as error:
        raise CannotStart(str(error)) from None


def check_address(settings: Settings) -> None:
    """Refuse an address that cannot be listened on, before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            probe.listen(1)  # only now does Linux compare with a listener on all addresses
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = (
                    f"Port {settings.port} is taken; end what uses it, or choose another: "
                    f"make run PORT={settings.port + 1 if settings.port < 65535 else 8000}"
                )
            elif error.errno == errno.EACCES:
                reason = f"Port {settings.port} is for root alone; choose PORT from 1024 on."
            else:
                reason = f"HOST={settings.host} is no address of this machine."
            raise CannotStart(reason) from None


def check_not_running(settings: Settings) -> None:
    """One supervisor per instance folder."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(supervisor_socket(settings)))
        except OSError:
            return
    raise CannotStart(f"Gazetteer runs in {settings.instance} already; end that one first.")


def supervisor_socket(settings: Settings) -> Path:
    """Where supervisorctl reaches supervisor."""
    return short_socket(settings.instance, "supervisor.sock")


def supervisor_config(settings: Settings) -> Path:
    """The supervisor.conf to use: the one of the checkout. Another instance folder gets a copy
    with its own paths in it; so does a checkout whose path is too long for a socket."""
    if "%" in f"{ROOT}{settings.instance}":
        raise CannotStart("supervisor cannot work in a folder with % in its path.")
    literal = ROOT / "supervisor.conf"
    path = supervisor_socket(settings)
    if path == ROOT / "instance" / "supervisor.sock":
        return literal
    path.parent.mkdir(mode=0o700, exist_ok=True)
    text = literal.read_text()
    for written, meant in (
        ("%(here)s/instance/supervisor.sock", path),
        ("%(here)s/instance", settings.instance),
        ("%(here)s", ROOT),
    ):
        text = text.replace(written, str(meant))
    copy = settings.instance / "supervisor.conf"
    copy.write_text(text)
    return copy


def prepare_supervisor(settings: Settings) -> str:
    """Make the supervisor.conf to use, and return one sentence about it: empty where it is simply
    that of the checkout. A release that is made ready beside the one that runs leaves its alone."""
    for path in (
        settings.instance / "supervisor.conf",
        settings.instance.parent / "supervisor.conf",
    ):
        if path.parent != ROOT and path.exists() and f'"{ROOT}/.venv/' not in path.read_text():
            return f"{path} stays as it is: it starts the release that is in another folder."
    path = supervisor_config(settings)
    if path.parent == ROOT:
        return ""
    return f"supervisord and supervisorctl are to be given: -c {path}"


def programs_environment(settings: Settings) -> dict[str, str]:
    """Our environment without what the flask command put into it from the env file: the programs
    read that file themselves, and a reload must find what has changed there."""
    read = dotenv_values(env_file())
    kept = {name: value for name, value in os.environ.items() if read.get(name) != value}
    return {**kept, "INSTANCE": str(settings.instance)}


def run(settings: Settings, when_ready: Callable[[], None]) -> int:
    """Start supervisor, call `when_ready` once pages answer, and wait for the end, which Ctrl-C,
    a closed terminal and TERM bring about. Returns the exit status."""
    ended_by: list[int] = []
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", supervisor_config(settings)],
        env=programs_environment(settings),
        cwd=ROOT,
        start_new_session=True,
    )

    def end(number: int, _frame: object) -> None:
        if not ended_by:
            ended_by.append(number)
            process.terminate()
            # Not by echo(), which this may have interrupted. The terminal may be gone.
            with suppress(OSError):
                os.write(sys.stdout.fileno(), b"\nStopping ...\n")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        if wait_until_ready(settings, lambda: process.poll() is None and not ended_by):
            when_ready()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    status = process.wait()
    return 0 if ended_by else status


def wait_until_ready(settings: Settings, going_on: Callable[[], bool]) -> bool:
    """Whether pages answered in the end. Should they not, it is told where to look."""
    begun, told = time.monotonic(), {""}
    while going_on():
        failed = failed_programs(settings)
        connection = HTTPConnection(reachable(settings), settings.port, timeout=3)
        problem = f"{failed} cannot be started" if failed else ask_readyz(connection)
        if problem is None:
            return True
        if problem not in told and (failed or time.monotonic() - begun > HINT_SECONDS):
            told.add(problem)
            click.echo(f"Not ready: {problem}. {settings.instance}/log says more.", err=True)
        time.sleep(0.05)
    return False


def failed_programs(settings: Settings) -> str:
    """The programs supervisor has given up. Being asked also wakes it: of itself it starts its
    programs only a second after it was started."""
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
    """The host under which this machine reaches it."""
    return ANY_ADDRESS.get(settings.host, settings.host)


def address(settings: Settings) -> str:
    """What to open in a browser on this machine."""
    host = reachable(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def warn_if_readable(settings: Settings) -> None:
    """Beyond this machine, passwords belong into TLS."""
    local = settings.host == "localhost" or settings.host.startswith("127.")
    if not (local or settings.host == "::1" or settings.secure):
        click.echo(
            f"Warning: it listens on {settings.host} without TLS, so passwords cross the network "
            "readable. docs/operating.md puts nginx with TLS in front.",
            err=True,
        )


@click.command("prepare")
def prepare_command() -> None:
    """Make folders, database and tables ready; a new release needs this once."""
    settings: Settings = current_app.config["SETTINGS"]
    prepare(settings)
    click.echo(f"Ready to start. What it keeps is in {settings.instance}.")
    if sentence := prepare_supervisor(settings):
        click.echo(sentence)
    if not queries.somebody_exists():
        click.echo("Nobody has claimed it yet; the path of the link: .venv/bin/flask setup-link")


@click.command("start")
def start_command() -> None:
    """Start everything in the foreground; Ctrl-C ends it."""
    settings: Settings = current_app.config["SETTINGS"]
    check_not_running(settings)
    check_address(settings)
    prepare(settings)
    claimed = queries.somebody_exists()
    db.session.remove()
    db.engine.dispose()
    warn_if_readable(settings)

    def tell() -> None:
        click.echo(f"Gazetteer is at {address(settings)}")
        if not claimed:
            link = f"{address(settings)}{setup.create_link_path()}"
            click.echo(f"Claim it (this link works once, for a day):\n  {link}")
        click.echo(f"Ctrl-C ends it. What it keeps is in {settings.instance}.")

    sys.exit(run(settings, tell))
