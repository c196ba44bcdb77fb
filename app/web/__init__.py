"""What pages share: hooks, error pages, URLs, forms, formatting, navigation, static files."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Set up each part; hooks run in the order in which they are registered."""
    from flask_babel import Babel

    from app.web import assets, error_pages, formatting, frame, hooks, hosts, navigation, posts
    from app.web.client import language, time_zone

    Babel(app, locale_selector=language, timezone_selector=time_zone)
    for part in (error_pages, hosts, hooks, posts, navigation, frame, formatting, assets):
        part.init_app(app)
