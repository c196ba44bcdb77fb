"""`make dev`: run the code of this checkout, and reload it when it changes.

It runs gunicorn with the project's configuration, so that gevent, time-outs and limits are those of
production; gunicorn reloads when Python code, a template or a translation changes. Static files
need no reload: browsers request them each time. There is no supervisor; SQLite, a private Redis and
all data are in `instance/dev`.
"""

import json
import os
import time
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree

import click
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app import create_app
from app.auth import queries
from app.cli import private_redis
from app.cli.demo.command import announce, fill, isolate_environment
from app.cli.processes import CannotStart, Stop, running
from app.cli.run import check_address, is_loopback, prepare
from app.config import ROOT, Settings
from app.database.engine import db
from app.health.probe import ask_readyz
from app.web.assets import vendor

FOLDER = ROOT / "instance" / "dev"
ACCOUNTS = "accounts.json"
POLL_SECONDS = 0.3
RELOADED = ("templates/**/*.html", "translations/*/LC_MESSAGES/*.mo")
SOURCES = ("app/**/*.py", "gunicorn.conf.py", *RELOADED)

Times = dict[Path, float]


def modified(*patterns: str) -> Times:
    """The modification time of each matching file."""
    return {path: path.stat().st_mtime for p in patterns for path in ROOT.glob(p) if path.exists()}


def compile_translations() -> None:
    """Compile each .po file that is newer than its .mo file."""
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


class Builder:
    """Rebuilds what is made from the sources: translations and icons."""

    def __init__(self) -> None:
        self.built: Times = {}

    def update(self) -> None:
        """Build what is out of date; an error in a source is printed and does not stop us."""
        try:
            compile_translations()
            if (found := modified(*vendor.ICON_SOURCES)) != self.built:
                self.built = found
                vendor.build()
        except (KeyError, ValueError, OSError) as error:
            click.echo(f"Build failed: {error}", err=True)


def gunicorn() -> list[str]:
    """The command line of the web processes."""
    watched = [f"--reload-extra-file={ROOT / pattern}" for pattern in RELOADED]
    reload = ["--reload", "--reload-engine=poll", *watched]
    return ["gunicorn", "-c", "gunicorn.conf.py", *reload, "app.wsgi:app"]


def prepare_data(settings: Settings) -> dict[str, str]:
    """Create the database and sample data at the first start; returns the passwords by account
    name."""
    prepare(settings)
    # Without the copy, static files are sent from the checkout.
    rmtree(settings.instance / "static")
    file = settings.instance / ACCOUNTS
    if not queries.any_person_exists():
        passwords = fill()
        file.touch(mode=0o600)
        file.write_text(json.dumps(passwords))
    db.session.remove()
    db.engine.dispose()
    found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return found


def serve(settings: Settings, stop: Stop) -> None:
    """Run the web processes until they exit; print their address when they are ready."""
    builder, announced = Builder(), False
    with running(*gunicorn()) as process:
        passwords = prepare_data(settings)  # while gunicorn loads the code
        log = settings.instance / "log"
        with (
            running("flask", "clock", log=log / "clock.log"),
            running("app.jobs.worker", log=log / "worker.log"),
        ):
            while process.poll() is None and not stop.requested:
                builder.update()
                connection = HTTPConnection(settings.host, settings.port, timeout=3)
                if not announced and ask_readyz(connection) is None:
                    announce(settings, passwords)
                    click.echo(f"Data is in {settings.instance}. Press Ctrl-C to stop.\n")
                    announced = True
                time.sleep(POLL_SECONDS if announced else 0.02)


def wait_for_change(stop: Stop) -> None:
    """Wait for a change to code that could not be loaded."""
    if not stop.requested:
        click.echo("The code cannot be loaded; waiting for a change.", err=True)
    before = modified(*SOURCES)
    while modified(*SOURCES) == before and not stop.requested:
        time.sleep(POLL_SECONDS)


@click.command("dev")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default=FOLDER,
    help="The data folder; the default is instance/dev.",
)
def dev_command(folder: Path) -> None:
    """Run for development: reload on changes, sample data, this machine only."""
    isolate_environment(folder)
    os.environ.setdefault("WEB_WORKERS", "1")  # one process to reload
    settings = Settings.load()
    if not is_loopback(settings.host):
        raise CannotStart(f"`make dev` listens on this machine only, not on HOST={settings.host}.")
    check_address(settings)
    private_redis.check_not_running(settings)
    log = folder / "log" / "redis.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    stop = Stop()
    with create_app(settings).app_context(), running(private_redis.__name__, log=log):
        while not stop.requested:
            serve(settings, stop)
            wait_for_change(stop)
    click.echo("\nStopped.")
