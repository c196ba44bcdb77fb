"""Gazetteer: a register of cities, shared files, and numbers from a shared cache."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: "Settings | None" = None, commands: bool = True) -> "Flask":
    """The application. Nothing is opened here: connections begin with the first request. What it
    is made of is imported here and not above, so that a small program such as app.private_redis
    starts without all of it, and a web process without the commands and Alembic."""
    from app.auth.sessions import SharedSessionInterface
    from app.config import ROOT, Settings
    from app.database.engine import db
    from app.extensions import babel, csrf, limiter
    from app.files.upload_request import UploadRequest
    from app.redis.client import redis_store
    from app.web import error_pages, hooks, static_files
    from app.web.preferences import language

    settings = settings or Settings.load()
    app = hooks.Site("app", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.from_mapping(settings.flask(web=not commands))
    app.request_class = UploadRequest
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}

    redis_store.init_app(app)
    db.init_app(app)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=language)
    limiter.init_app(app)
    app.session_interface = SharedSessionInterface(
        app, app.extensions["redis"], settings.session_idle_hours * 3600
    )

    error_pages.init_app(app)
    hooks.init_app(app)
    static_files.init_app(app)
    register_blueprints(app)
    if commands:
        from app.cli.commands import init_app

        init_app(app)
    return app


def register_blueprints(app: "Flask") -> None:
    """One blueprint a feature package."""
    from app.auth.people_views import bp as people
    from app.auth.views import bp as auth
    from app.cities.export_views import bp as cities_export
    from app.cities.importing.views import bp as importing
    from app.cities.legacy_urls import bp as cities_legacy
    from app.cities.views import bp as cities
    from app.files.scripts_views import bp as scripts
    from app.files.transfer_views import bp as transfers
    from app.files.views import bp as files
    from app.health.views import bp as health
    from app.numbers.views import bp as numbers
    from app.session_page.views import bp as session_page
    from app.setup.views import bp as setup

    for blueprint in (
        setup, auth, people, session_page, cities, cities_export, importing, cities_legacy, files,
        transfers, scripts, numbers, health,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
