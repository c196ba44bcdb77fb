"""What a web process does before its first request."""

import gc

import pytest
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import create_engine

from app.cli.warm_up import warm_up
from app.database import limits
from app.database.engine import db
from app.database.limits import POOL_SIZE, fill_pool
from tests.factories import HTML


@pytest.fixture
def cold(make_app):
    """An application that has compiled no template, and does not read those of other tests."""
    app = make_app(own=True, PUBLIC_READ="1")
    app.jinja_env.bytecode_cache = None
    return app


def test_first_request_compiles_no_template(cold, monkeypatch):
    warm_up(cold)
    compiled, compile_template = [], cold.jinja_env.compile

    def count(source, name=None, *args, **kwargs):
        compiled.append(name)
        return compile_template(source, name, *args, **kwargs)

    monkeypatch.setattr(cold.jinja_env, "compile", count)
    for path in ("/cities", "/login", "/nothing"):
        cold.test_client().get(path, headers=HTML)
    assert compiled == []


def test_a_collection_of_garbage_does_not_look_at_what_was_loaded(cold):
    try:
        warm_up(cold)
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()


def test_template_that_does_not_compile_is_logged_and_left_out(cold, caplog):
    broken = DictLoader({"aaa.html": "{% if %}"})
    cold.jinja_env.loader = ChoiceLoader([broken, cold.jinja_env.loader])
    warm_up(cold)
    assert "not prepared: template aaa.html: TemplateSyntaxError" in caplog.text
    assert len(caplog.records) == 1
    assert cold.test_client().get("/cities", headers=HTML).status_code == 200


def test_pool_is_filled(mariadb, monkeypatch):
    monkeypatch.setattr(limits, "FILL_SECONDS", 60)  # for a busy machine
    db.session.remove()
    db.engine.dispose()
    fill_pool(db.engine)
    assert (db.engine.pool.checkedin(), db.engine.pool.checkedout()) == (POOL_SIZE, 0)


def test_pool_is_not_filled_while_the_database_is_away(caplog):
    engine = create_engine("mysql+pymysql://u:p@127.0.0.1:1/gz")
    fill_pool(engine)
    assert engine.pool.checkedin() == 0
    assert caplog.text == ""
