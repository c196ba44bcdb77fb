"""Static files under a content hash, and those of Bootstrap."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the URL, which replaces Flask's own `/static/PATH`."""
    from app.web.assets import static_files

    app.add_url_rule("/static/<build>/<path:path>", "static", static_files.send)
    app.jinja_env.globals["asset"] = static_files.url  # macros only see globals
