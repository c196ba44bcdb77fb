"""The flask command that prints the set-up link."""

import click

from app.auth import queries
from app.setup import services as setup


@click.command("setup-link")
def setup_link() -> None:
    """Print the path of the set-up link, until somebody has used it."""
    if queries.any_person_exists():
        raise click.ClickException(
            "This installation already has an administrator. `flask create-user NAME --role admin` "
            "adds another."
        )
    click.echo(setup.create_link_path())
