"""Static files under a content hash, those of Bootstrap, and compiled templates."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the URL, which replaces Flask's own `/static/PATH`."""
    from app.web.assets import compiled_templates, static_files

    compiled_templates.init_app(app)
    app.add_url_rule("/static/<build>/<path:path>", "static", static_files.send)
    app.jinja_env.globals["asset"] = static_files.url  # macros only see globals
