"""flask commands for people."""

import sys

import click

from app.actor import Role
from app.auth import services as auth


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
