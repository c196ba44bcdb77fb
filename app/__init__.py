"""Gazetteer: a register of cities, shared files, and numbers from a shared cache."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

# In the order in which they are set up. They are imported by create_app(), so that a small program
# such as app.cli.private_redis starts without all of them.
PACKAGES = (
    "clock",
    "logs",
    "database",
    "redis",
    "web",
    "history",
    "auth",
    "session_page",
    "cities",
    "files",
    "numbers",
    "jobs",
    "schedules",
    "health",
    "setup",
    "backups",
    "start",
)
# What our processes write is for their account and its group, in which nginx is.
UMASK = 0o027


def create_app(
    settings: "Settings | None" = None, commands: bool = True, web: bool | None = None
) -> "Flask":
    """Create the application. No connection is opened before the first request. Without commands
    Alembic is not imported. A process without commands answers requests, and has the time limits of
    one, unless `web` is False: the worker."""
    from app.config import ROOT, Settings
    from app.web.hooks import Site

    os.umask(UMASK)
    settings = settings or Settings.load()
    app = Site("app", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.from_mapping(settings.flask_config(not commands if web is None else web))
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}

    for package in PACKAGES:
        import_module(f"app.{package}").init_app(app)
    if commands:
        from app import cli

        cli.init_app(app)
    return app
