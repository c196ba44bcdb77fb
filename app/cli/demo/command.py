"""The command: start with sample data in a temporary folder, which is removed when it stops."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from app import create_app
from app.cli.processes import own_environment
from app.cli.run import address, check_address, prepare, run
from app.config import Settings
from app.database.engine import db

# Settings of a real installation that a temporary one must not share, wherever they were set.
NOT_SHARED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "FILES_DIR",
    "NGINX_SENDS_FILES",
    "SECURE",
    "TRUSTED_PROXIES",
    "PUBLIC_READ",
)
ROLES = {"Ada": "administrator", "Lin": "editor", "Wei": "viewer"}


def isolate_environment(folder: Path) -> None:
    """Make this process and its children use this folder and the default settings, not those of the
    env file of a real installation."""
    for name in {*(os.environ.keys() - own_environment().keys()), *NOT_SHARED}:
        os.environ.pop(name, None)
    os.environ.update(INSTANCE=str(folder), ENV_FILE=os.devnull)


def announce(settings: Settings, passwords: dict[str, str]) -> None:
    """Print the address and the accounts, with their roles."""
    click.echo(f"\nGazetteer is at {address(settings)}; sign in as")
    for name, password in passwords.items():
        click.echo(f"  {name:8}{password}  {ROLES.get(name, '')}".rstrip())


def fill() -> dict[str, str]:
    """Write the sample data; returns the passwords by the names of the accounts."""
    from app.cli.demo.week import write_week  # only here, because other commands need no pictures

    return write_week()


@click.command("demo")
def demo_command() -> None:
    """Start with sample data in a temporary folder; Ctrl-C stops and removes it."""
    folder = Path(tempfile.mkdtemp(prefix="gazetteer-demo-"))
    isolate_environment(folder)
    try:
        sys.exit(run_in(folder))
    finally:
        shutil.rmtree(folder)


def run_in(folder: Path) -> int:
    """Run the demo until it is stopped; returns the exit status."""
    chosen = Settings.load()
    check_address(chosen)

    def fill_and_announce() -> None:
        passwords = fill()
        db.session.remove()
        announce(chosen, passwords)
        click.echo(f"Press Ctrl-C to stop it and remove {folder}.")

    with create_app(chosen).app_context():
        prepare(chosen)
        return run(chosen, fill_and_announce)
