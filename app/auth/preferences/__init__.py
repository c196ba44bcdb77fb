"""How people want to read pages: language, time zone, rows of a page, colour scheme."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.auth.preferences import views

    app.register_blueprint(views.bp)
