"""What `make dev` does: run the code of this checkout, and run it again when it changes.

gunicorn with the project's own configuration answers, so that gevent, time-outs and limits are
those of production; it reloads itself when Python code, a template or a translation changes.
Static files need no reload: browsers ask for them again each time. There is no supervisor, the
database is SQLite, Redis is a private one, and everything is stored in `instance/dev`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

import click
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app import create_app, logs
from app.auth import queries
from app.cities.cache import invalidate as forget_cities
from app.cli import private_redis
from app.cli.demo import fill, leave_real_settings
from app.cli.run import CannotStart, address, check_address, prepare
from app.config import ROOT, Settings
from app.database.engine import db
from app.files.cache import invalidate as files_changed
from app.health.probe import ask_readyz
from app.web import static_files

if TYPE_CHECKING:
    from flask import Flask

FOLDER = ROOT / "instance" / "dev"
ACCOUNTS = "accounts.json"
LOOK_SECONDS = 0.3
STOP_SECONDS = 10
RELOADED = ("templates/**/*.html", "translations/*/LC_MESSAGES/*.mo")
SOURCES = ("app/**/*.py", "gunicorn.conf.py", *RELOADED)
ICON_SOURCES = ("templates/**/*.html", "static/js/**/*.js", "app/*/__init__.py")

Times = dict[Path, float]


def application() -> "Flask":
    """What gunicorn loads. Fragments that an earlier version of a template drew are not shown."""
    settings = Settings.load()
    logs.configure(settings)
    app = create_app(settings, commands=False)
    with app.app_context():
        forget_cities()
        files_changed()
    return app


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def modified(*patterns: str) -> Times:
    """When each of the files was last changed."""
    return {path: path.stat().st_mtime for p in patterns for path in ROOT.glob(p) if path.exists()}


def compile_translations() -> None:
    """Write the .mo file of each .po file that is newer."""
    for source in ROOT.glob("translations/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file)
        draft = target.with_suffix(".mo.new")
        with draft.open("wb") as file:
            write_mo(file, catalog)
        draft.replace(target)


class Watch:
    """Prepares what the web processes need after a change: translations and icons."""

    def __init__(self) -> None:
        self.seen: Times = {}

    def look(self) -> None:
        """Prepare again what is out of date; a mistake in a source is shown, not fatal."""
        try:
            compile_translations()
            if (found := modified(*ICON_SOURCES)) != self.seen:
                self.seen = found
                static_files.build()
        except (KeyError, ValueError, OSError) as error:
            click.echo(f"Not prepared: {error}", err=True)


@contextmanager
def running(*command: str, log: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A program in a session of its own, which Ctrl-C does not reach: we end it, in order."""
    with log.open("ab") if log else nullcontext() as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            start_new_session=True,
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # gunicorn: at once; Redis: after writing its data
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def gunicorn() -> list[str]:
    """The command line of the web processes."""
    watched = [f"--reload-extra-file={ROOT / pattern}" for pattern in RELOADED]
    reload = ["--reload", "--reload-engine=poll", *watched]
    return ["gunicorn", "-c", "gunicorn.conf.py", *reload, f"{__name__}:application()"]


def ready(settings: Settings) -> dict[str, str]:
    """The database and the sample accounts, made at the first start; returns name and password
    of each account."""
    prepare(settings)
    # Copies of static files are sent as they were when the copy was made.
    rmtree(settings.instance / "static")
    file = settings.instance / ACCOUNTS
    if not queries.somebody_exists():
        passwords = fill()
        file.touch(mode=0o600)
        file.write_text(json.dumps(passwords))
    db.session.remove()
    db.engine.dispose()
    found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return found


def tell(settings: Settings, passwords: dict[str, str]) -> None:
    """Where it is and who can sign in."""
    click.echo(f"\nGazetteer is at {address(settings)}; sign in as")
    for name, password in passwords.items():
        click.echo(f"  {name:8}{password}")
    click.echo(f"Data is in {settings.instance}. Ctrl-C stops everything.\n")


def answers(settings: Settings) -> bool:
    """Whether pages can be asked for."""
    return ask_readyz(HTTPConnection(settings.host, settings.port, timeout=3)) is None


class Stop:
    """Whether somebody asked for the end: Ctrl-C, a closed terminal, TERM."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask)

    def ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def serve(settings: Settings, stop: Stop) -> None:
    """Run the web processes until they end; tell where they are once they answer."""
    watch, told = Watch(), False
    with running(*gunicorn()) as process:
        passwords = ready(settings)  # while gunicorn loads the code
        while process.poll() is None and not stop.asked:
            watch.look()
            if not told and answers(settings):
                tell(settings, passwords)
                told = True
            time.sleep(LOOK_SECONDS if told else 0.02)


def wait_for_change(stop: Stop) -> None:
    """Until somebody changes the code that could not be loaded."""
    if not stop.asked:
        click.echo("The code cannot be loaded; the next change is tried.", err=True)
    before = modified(*SOURCES)
    while modified(*SOURCES) == before and not stop.asked:
        time.sleep(LOOK_SECONDS)


@click.command("dev")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default=FOLDER,
    help="Where data is stored; instance/dev unless given.",
)
def dev_command(folder: Path) -> None:
    """Run for development: reload on changes, sample data, this machine only."""
    leave_real_settings(folder)
    os.environ.setdefault("WEB_WORKERS", "1")  # a change is loaded in one place
    settings = Settings.load()
    if not is_loopback(settings.host):
        raise CannotStart(f"`make dev` listens on this machine only, not on HOST={settings.host}.")
    check_address(settings)
    log = folder / "log" / "redis.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    stop = Stop()
    with create_app(settings).app_context(), running(private_redis.__name__, log=log):
        while not stop.asked:
            serve(settings, stop)
            wait_for_change(stop)
    click.echo("\nStopped.")
