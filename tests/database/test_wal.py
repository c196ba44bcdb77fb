"""The write-ahead log of SQLite does not grow without bound."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database import engine
from app.database.engine import db, truncate_wal


@pytest.fixture
def log(app, monkeypatch):
    """The log after a write, which counts as large, in an application context."""
    monkeypatch.setattr(engine, "WAL_MOST", 1)
    monkeypatch.setattr(engine, "WAL_WAIT", 0.01)
    with app.app_context():
        db.session.execute(text("DELETE FROM form_key"))
        db.session.execute(text("INSERT INTO form_key (key, created_at) VALUES ('a', '2026')"))
        db.session.commit()
        yield Path(f"{db.engine.url.database}-wal")


def test_a_large_log_is_emptied_as_soon_as_reads_have_ended(log):
    size = log.stat().st_size
    with closing(sqlite3.connect(db.engine.url.database)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT key FROM form_key").fetchall() == [("a",)]
        assert truncate_wal() == 0
    assert size > 0
    assert truncate_wal() == size
    assert log.stat().st_size == 0
    assert db.session.scalar(text("SELECT key FROM form_key")) == "a"


def test_a_small_log_is_left_to_sqlite(log, monkeypatch):
    monkeypatch.setattr(engine, "WAL_MOST", log.stat().st_size + 1)
    assert truncate_wal() == 0
    assert log.stat().st_size > 0
