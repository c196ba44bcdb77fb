"""The flask command that prints the set-up link."""

import click

from app.auth import services as auth
from app.setup import services as setup


@click.command("setup-link")
def setup_link() -> None:
    """Print the path of the set-up link, while nobody has used one."""
    if auth.somebody_exists():
        raise click.ClickException(
            "Somebody can sign in here already. `flask create-user NAME --role admin` adds an "
            "administrator."
        )
    click.echo(f"/setup/{setup.create_link_token()}")
