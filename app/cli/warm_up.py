"""What a web process does before it accepts connections, so that no request waits for it: it
loads the templates, compiling those that have changed, and what each language, the models and TLS
need. What fails here is left to the first request that needs it."""

import gc
import logging
from collections.abc import Callable

import gevent
from flask import Flask
from flask_babel import force_locale, get_translations
from gevent.monkey import is_module_patched
from sqlalchemy.orm import configure_mappers

from app.config import LANGUAGES
from app.database.engine import db
from app.database.limits import fill_pool
from app.times import now
from app.web.assets.static_files import content_hash
from app.web.formatting import format_ago, format_exactly, format_number

log = logging.getLogger("gazetteer.warm_up")


def warm_up(app: Flask) -> None:
    """Called by app/wsgi.py. Connections to the database are opened afterwards, when the process
    runs its event loop and answers requests."""
    with app.app_context():
        for name in app.jinja_env.list_templates():
            attempt(f"template {name}", app.jinja_env.get_template, name)
        for language in LANGUAGES:
            attempt(f"language {language}", load_language, language)
        attempt("hash of static files", content_hash)
        attempt("addresses", app.url_map.update)
        attempt("models", configure_mappers)
        if db.engine.dialect.driver == "pymysql":
            attempt("TLS", load_tls)
            if is_module_patched("socket"):
                gevent.spawn(fill_pool, db.engine)
    # What is there now is there to stay. Without this a full collection looks at all of it, for 50
    # to 100 ms in which no request of this process is answered.
    gc.collect()
    gc.freeze()


def attempt(what: str, work: Callable[..., object], *args: object) -> None:
    """Do it, and log an error instead of raising it."""
    try:
        work(*args)
    except Exception as error:
        log.warning("not prepared: %s: %r", what, error)


def load_language(language: str) -> None:
    """Read its texts, and the names and formats of its numbers and times."""
    with force_locale(language):
        get_translations()
        format_number(1000)
        format_ago(now())
        format_exactly(now())


def load_tls() -> None:
    """Make the context that all connections share."""
    from app.database.mariadb import SharedTlsConnection

    SharedTlsConnection(defer_connect=True)
