"""The flask commands for people."""

import sys

import click

from app.actor import Actor, Role
from app.auth import queries, services
from app.auth.sign_in import services as sign_in


def read_password() -> str:
    """From a prompt that asks twice, or one line of standard input if it is not a terminal."""
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
    """Add a person who can sign in."""
    services.create_person(Actor.operator(), name, read_password(), role)
    click.echo(f"{name} can now sign in as {role}.")


@click.command("set-password")
@click.argument("name")
def set_password(name: str) -> None:
    """Set a person's password, which ends their sessions and revokes their tokens."""
    person = queries.load_person_by_name(name)
    services.set_password(Actor.operator(), person.id, read_password())
    click.echo(f"The password of {person.name} was changed. Their sessions and tokens have ended.")


@click.command("unlock")
@click.argument("name")
def unlock(name: str) -> None:
    """Forget the wrong passwords that were typed under a name."""
    person = queries.load_person_by_name(name)
    person_id, name = person.id, person.name
    sign_in.unlock(Actor.operator(), person_id)
    click.echo(f"{name} can try to sign in again.")


@click.command("list-users")
def list_users() -> None:
    """List all people with role and state."""
    for person in queries.list_people(Actor.operator()):
        click.echo(f"{person.id}\t{person.name}\t{person.role}\t{person.state}")
