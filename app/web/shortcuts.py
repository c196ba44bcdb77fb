"""The list of keyboard shortcuts, which every page has."""

from functools import cache

from flask import Flask, render_template
from markupsafe import Markup


@cache
def keyboard_shortcuts(_locale: str) -> Markup:
    """The list, which is the same on all pages in one language; drawing it took a tenth of the time
    of a page."""
    return Markup(render_template("_keys.html"))  # noqa: S704 - our own template


def init_app(app: Flask) -> None:
    app.jinja_env.globals["keyboard_shortcuts"] = keyboard_shortcuts
