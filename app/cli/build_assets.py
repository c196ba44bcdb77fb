"""`flask build-assets`: what is copied from installed packages and is not in the repository."""

import click

from app.auth import common_passwords
from app.web.assets import vendor


@click.command("build-assets")
def build_assets_command() -> None:
    """Fill static/vendor and the list of common passwords from installed packages."""
    build()
    click.echo("Wrote Bootstrap's stylesheet, icons and the list of common passwords.")


def build() -> None:
    """Write all of it."""
    vendor.build()
    common_passwords.build()
