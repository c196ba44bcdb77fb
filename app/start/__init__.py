"""The start page: what changed, recent files, totals; for visitors what this site is."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page, to which the name in the bar leads."""
    from app.start import views
    from app.web.navigation import navigation

    app.register_blueprint(views.bp)
    navigation(app).home = "start.show_start"
