"""`make demo`: an installation with sample data in a temporary folder, removed when it stops."""

import os
import secrets
import shutil
import sys
import tempfile
from base64 import b64decode
from pathlib import Path

import click

from app import create_app
from app.actor import Actor, Role, Via
from app.auth import services as auth
from app.cities import services as cities
from app.cli.processes import own_environment
from app.cli.run import address, check_address, prepare, run
from app.config import Settings
from app.current import settings
from app.database.engine import db
from app.files.storage.folder import Incoming
from app.files.upload import services as files

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
# A PNG of 96 by 64 pixels of one colour.
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAGAAAABAAQMAAADf+uBNAAAAA1BMVEULamh3VLh8AAAAEElEQVR42mNgGAWjYBSQCwADQAAB"
    "8oOzpwAAAABJRU5ErkJggg=="
)
# One sample file is in a folder, one has a Chinese name.
SAMPLE_FILES = {
    "报告 (终稿).pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "harbour.png": PICTURE,
    "field notes/june.txt": "14 June: the harbour is clear, 河水很清。\n".encode(),
}


def fill() -> dict[str, str]:
    """Create sample accounts, cities and files; returns the passwords by account name."""
    passwords = {str(role): secrets.token_urlsafe(16) for role in Role}
    operator = Actor.operator()
    ids = {name: auth.create_person(operator, name, text, name) for name, text in passwords.items()}
    cities.add_sample_cities(operator)
    editor = Actor(ids[Role.EDITOR], Role.EDITOR, Role.EDITOR, Via.COMMAND)
    sent = []
    for name, content in SAMPLE_FILES.items():
        incoming = Incoming(settings().files_dir, len(content))
        incoming.write(content)
        sent.append(files.ReceivedFile(name, incoming, with_folder=True))
    files.store_uploads(editor, sent)
    return passwords


def isolate_environment(folder: Path) -> None:
    """Make this process and its children use this folder and the default settings, not those of the
    env file of a real installation."""
    for name in {*(os.environ.keys() - own_environment().keys()), *NOT_SHARED}:
        os.environ.pop(name, None)
    os.environ.update(INSTANCE=str(folder), ENV_FILE=os.devnull)


def announce(settings: Settings, passwords: dict[str, str]) -> None:
    """Print the address and the accounts."""
    click.echo(f"\nGazetteer is at {address(settings)}; sign in as")
    for name, password in passwords.items():
        click.echo(f"  {name:8}{password}")


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
