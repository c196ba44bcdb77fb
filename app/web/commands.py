"""The flask command that fills static/vendor."""

import click

from app.web import static_files


@click.command("build-assets")
def build_assets() -> None:
    """Fill static/vendor from the installed packages."""
    click.echo(f"Wrote Bootstrap's stylesheet and {static_files.build()} icons to static/vendor.")
