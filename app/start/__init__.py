"""The start page: what changed, recent files, totals; for visitors what this site is. The search in
everything."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, to which the name in the bar and the key / lead."""
    from app.start import views
    from app.web.navigation import navigation

    app.register_blueprint(views.bp)
    navigation(app).home, navigation(app).search = "start.show_start", "start.search"
