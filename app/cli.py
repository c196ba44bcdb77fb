"""flask commands for operators."""

import sys
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from flask import Flask
from flask_migrate import Migrate

from app.auth import services as auth
from app.auth.models import Role
from app.config import ROOT
from app.database.engine import DATABASE_AWAY, db
from app.demo import demo_command
from app.errors import DomainError
from app.files.commands import adopt_files, purge_files
from app.setup import services as setup
from app.start import prepare_command, start_command
from app.trial import try_command
from app.web import static_files


def read_password() -> str:
    """From a prompt, asked twice; from standard input (one line) when that is no terminal."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\n")


@click.command("create-user")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="viewer", show_default=True
)
def create_user(name: str, role: str) -> None:
    """Add somebody who can sign in."""
    auth.create_person(name, read_password(), role)
    click.echo(f"{name} can sign in now, as {role}.")


@click.command("set-password")
@click.argument("name")
def set_password(name: str) -> None:
    """Give somebody a new password; it ends their sessions."""
    person = auth.find_person(name)
    if person is None:
        raise click.ClickException(f"There is nobody named {name}.")
    auth.set_password(person.id, read_password())
    click.echo(f"The password of {person.name} is changed; their sessions are ended.")


@click.command("list-users")
def list_users() -> None:
    """Show everybody with role and state."""
    for person in auth.list_people():
        click.echo(f"{person.id}\t{person.name}\t{person.role}\t{person.state}")


@click.command("setup-link")
def setup_link() -> None:
    """Print the path of the set-up link, while nobody has used one."""
    if auth.somebody_exists():
        raise click.ClickException(
            "Somebody can sign in here already. `flask create-user NAME --role admin` adds an "
            "administrator."
        )
    click.echo(f"/setup/{setup.create_link_token()}")


@click.command("build-assets")
def build_assets() -> None:
    """Fill static/vendor from the installed packages."""
    click.echo(f"{static_files.build()} icons and Bootstrap's stylesheet are in static/vendor.")


def told(command: click.Command) -> Callable[..., Any]:
    """What the command does, ending in one sentence on standard error and exit status 1 when it is
    refused or the database does not answer."""
    does: Any = command.callback

    @wraps(does)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return does(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from None
        except DATABASE_AWAY:
            raise click.ClickException("The database does not answer. See DATABASE_URL.") from None

    return run


def init_app(app: Flask) -> None:
    """Register the commands, `flask db` for the migrations among them."""
    Migrate(app, db, directory=str(ROOT / "migrations"))
    for command in (
        start_command,
        prepare_command,
        demo_command,
        try_command,
        create_user,
        set_password,
        list_users,
        setup_link,
        build_assets,
        adopt_files,
        purge_files,
    ):
        own = copy(command)
        own.callback = told(command)
        app.cli.add_command(own)
