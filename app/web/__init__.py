"""What pages share: hooks, error pages, URLs, forms, formatting, navigation, static files."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register hooks, error handlers, template filters and static files."""
    from app.extensions import babel
    from app.web import (
        commands,
        csrf,
        error_pages,
        formatting,
        hooks,
        navigation,
        static_files,
    )
    from app.web.preferences import language

    babel.init_app(app, locale_selector=language)
    error_pages.init_app(app)
    hooks.init_app(app)
    csrf.init_app(app)
    navigation.init_app(app)
    formatting.init_app(app)
    static_files.init_app(app)
    app.cli.add_command(commands.build_assets)
