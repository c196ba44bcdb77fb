"""The flask command that fills static/vendor."""

import click

from app.web import static_files


@click.command("build-assets")
def build_assets() -> None:
    """Fill static/vendor from the installed packages."""
    click.echo(f"{static_files.build()} icons and Bootstrap's stylesheet are in static/vendor.")
