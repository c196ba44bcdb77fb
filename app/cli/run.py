"""`make run`: prepare folders and database, start supervisor, print the address, wait, stop. Also
the commands `build-assets` and `clock`.

Supervisor runs in its own session, so that neither Ctrl-C nor a closed terminal window reaches its
programs: this process gets the signal and has supervisor stop them in order.
"""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from ipaddress import ip_address

import click
from flask import current_app
from redis.exceptions import RedisError

from app.auth import common_passwords, queries
from app.auth.sessions import installation
from app.cli import private_redis, supervisor
from app.cli.processes import CannotStart, Stop, answers, programs_environment
from app.cli.progress import Progress
from app.clock.registry import loops_of
from app.clock.run import Clock
from app.config import ROOT, Settings, redis_socket
from app.database.engine import db
from app.database.schema import SchemaError, bring_up_to_date
from app.disk import NOT_OTHERS, limit_rights
from app.health.probe import NO_ANSWER, ask_readyz
from app.logs.process import configure
from app.setup import services as setup
from app.web.assets import static_files, vendor

HINT_SECONDS = 15
POLL_SECONDS = 0.05
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def prepare(settings: Settings) -> None:
    """Create the folders, the database and its tables, if they are missing or outdated, bring
    stored search keys up to the rules of this release, and end all sessions if a backup was
    restored."""
    progress = Progress()
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in ("log", "nginx"):
            (settings.instance / folder).mkdir(exist_ok=True)
        settings.files_dir.mkdir(parents=True, exist_ok=True)
        for path in (settings.instance / "log", settings.files_dir):
            limit_rights(path, NOT_OTHERS)  # INSTANCE may be a folder that everybody can read
        static_files.copy_build(settings.instance)
    except OSError as error:
        what, why = error.filename or settings.instance, error.strerror or error
        raise CannotStart(f"{what} cannot be created: {why}.") from None
    if not common_passwords.FILE.exists():
        raise CannotStart(f"{common_passwords.MISSING}.")
    try:
        bring_up_to_date(settings.database_url, progress)
    except SchemaError as error:
        raise CannotStart(str(error)) from None
    if not settings.private_redis or answers(redis_socket(settings.instance)):
        with suppress(RedisError):
            installation.compare()


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


def run(settings: Settings, when_ready: Callable[[], None]) -> int:
    """Start supervisor, call `when_ready` once /readyz answers, and wait until Ctrl-C, a closed
    terminal or TERM stops everything. Returns the exit status."""
    stop = Stop()
    config = supervisor.config_file(settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", config],
        cwd=ROOT, env=programs_environment(settings.instance), start_new_session=True,
    )  # fmt: skip

    def is_running() -> bool:
        return process.poll() is None and not stop.requested

    try:
        if wait_until_ready(settings, is_running):
            when_ready()
        while is_running():
            time.sleep(POLL_SECONDS)
    finally:
        if stop.requested:
            with suppress(OSError):  # the terminal may be closed
                click.echo("\nStopping ...")
        process.terminate()
        status = process.wait()
    if stop.requested or status == 0:
        return 0
    click.echo(
        f"The supervisor of the programs has ended (status {status}); they may still run, and the "
        f"next start says how to end them. See the logs in {settings.instance}/log.",
        err=True,
    )
    return 1


def wait_until_ready(settings: Settings, is_running: Callable[[], bool]) -> bool:
    """Wait until /readyz is ready; prints what the problem is if that takes long. False if the
    programs stopped before."""
    start, printed = time.monotonic(), {""}
    while is_running():
        failed = supervisor.failed_programs(settings)
        connection = HTTPConnection(reachable(settings), settings.port, timeout=3)
        problem = f"{failed} cannot be started" if failed else ask_readyz(connection)
        if problem is None:
            return True
        if problem not in printed and (failed or time.monotonic() - start > HINT_SECONDS):
            printed.add(problem)
            state = "Still starting" if problem == NO_ANSWER else "Not ready"
            click.echo(f"{state}: {problem}. See the logs in {settings.instance}/log.", err=True)
        time.sleep(POLL_SECONDS)
    return False


def reachable(settings: Settings) -> str:
    """The host to connect to from this machine."""
    return ANY_ADDRESS.get(settings.host, settings.host)


def address(settings: Settings) -> str:
    """The URL to open in a browser: on this machine, with SECURE=1 that of the proxy with TLS."""
    if settings.secure:
        return f"https://{next(iter(settings.trusted_hosts), 'YOUR-HOST-NAME')}"
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
    if hint := supervisor.prepare_config(settings):
        click.echo(hint)
    if not queries.any_person_exists():
        click.echo("There is no administrator yet; for the link: .venv/bin/flask setup-link")


def build_assets() -> None:
    """Create what is copied from installed packages and is not in the repository."""
    vendor.build()
    common_passwords.build()


@click.command("build-assets")
def build_assets_command() -> None:
    """Fill static/vendor and the list of common passwords from installed packages."""
    build_assets()
    click.echo("Wrote Bootstrap's stylesheet, icons and the list of common passwords.")


@click.command("clock")
def clock_command() -> None:
    """Do the housekeeping, and start the jobs of schedules, until it is stopped, or whatever
    started it is gone."""
    configure(current_app.config["SETTINGS"])
    stop, parent = Stop(), os.getppid()
    loops = loops_of(current_app._get_current_object()).values()  # type: ignore[attr-defined]
    Clock(loops).run(lambda: stop.requested or os.getppid() != parent)


@click.command("start")
def start_command() -> None:
    """Start everything in the foreground; Ctrl-C stops it."""
    settings: Settings = current_app.config["SETTINGS"]
    supervisor.check_not_running(settings)
    private_redis.check_not_running(settings)
    check_address(settings)
    prepare(settings)
    claimed = queries.any_person_exists()
    db.session.remove()
    db.engine.dispose()
    warn_without_tls(settings)

    def announce() -> None:
        if claimed:
            click.echo(f"Gazetteer is at {address(settings)}")
        else:  # what leads on comes first: without an account nobody can sign in
            link = f"{address(settings)}{setup.create_link_path()}"
            click.echo("Open this link to create the administrator; it works once, for a day:")
            click.echo(f"  {link}\nGazetteer is then at {address(settings)}")
        click.echo(f"Data is in {settings.instance}. Press Ctrl-C to stop.")

    sys.exit(run(settings, announce))
