"""flask commands for operators."""

import sys

import click
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app import assets
from app.auth import services as auth
from app.auth.models import Role
from app.errors import DomainError
from app.files.commands import adopt_files, purge_files
from app.setup import services as setup


def read_password() -> str:
    """From a prompt, asked twice; from standard input (one line) when that is no terminal."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\n")


@click.command("create-user")
@click.argument("name")
@click.option("--role", type=click.Choice([*Role]), default=Role.VIEWER, show_default=True)
def create_user(name: str, role: str) -> None:
    """Add somebody who can sign in."""
    with spoken():
        auth.create_person(name, read_password(), role)
    click.echo(f"{name} can sign in now, as {role}.")


@click.command("set-password")
@click.argument("name")
def set_password(name: str) -> None:
    """Give somebody a new password; it ends their sessions."""
    person = auth.find_person(name)
    if person is None:
        raise click.ClickException(f"There is nobody named {name}.")
    with spoken():
        auth.set_password(person.id, read_password(), must_change=False)
    click.echo(f"The password of {person.name} is changed; their sessions are ended.")


@click.command("list-users")
def list_users() -> None:
    """Show everybody with role and state."""
    for person in auth.list_people():
        state = "active" if person.active else "disabled"
        click.echo(f"{person.id}\t{person.name}\t{person.role}\t{state}")


@click.command("setup-link")
def setup_link() -> None:
    """Print the path of the set-up link, while nobody has used one."""
    if auth.somebody_exists():
        raise click.ClickException("This installation already has an administrator.")
    click.echo(f"/setup/{setup.create_link_token()}")


@click.command("build-assets")
def build_assets() -> None:
    """Fill static/vendor from the installed packages."""
    click.echo(f"{assets.build()} icons and Bootstrap's stylesheet are in static/vendor.")


class spoken:
    """Turns a refusal into one sentence on standard error and exit status 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DomainError):
            raise click.ClickException(error.message) from None


def create_database(url: str) -> None:
    """Create the MariaDB database of the address when it is absent and the account may."""
    address = make_url(url)
    if not address.drivername.startswith("mysql"):
        return
    engine = create_engine(address.set(database=""), isolation_level="AUTOCOMMIT")
    name = engine.dialect.identifier_preparer.quote_identifier(address.database or "")
    with engine.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        )
    engine.dispose()


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        create_user,
        set_password,
        list_users,
        setup_link,
        build_assets,
        adopt_files,
        purge_files,
    ):
        app.cli.add_command(command)
