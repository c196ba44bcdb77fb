"""An upgrade of a history that was written before its bulk changes were folded."""

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade

from app.database.engine import db
from app.database.schema import create_database

BEFORE, AFTER = "0015", "0016"
MANY = 1200  # more than the migration reads at once


@pytest.fixture(params=["sqlite", "mariadb"])
def earlier(request, make_app, tmp_path):
    """A database without the column."""
    url = f"sqlite:///{tmp_path / 'earlier.sqlite'}"
    if request.param == "mariadb":
        url = f"{request.getfixturevalue('mariadb_url')}/earlier_history"
    app = make_app(commands=True, DATABASE_URL=url)
    create_database(app.config["SETTINGS"].database_url)
    with app.app_context():
        upgrade(revision=BEFORE)
        yield
        db.session.remove()
        if request.param == "mariadb":
            with db.engine.begin() as connection:
                connection.exec_driver_sql("DROP DATABASE earlier_history")


def test_the_first_entry_of_each_action_of_a_batch_stands_for_the_others(earlier):
    written = [
        *[("a", "file.create")] * MANY,
        ("b", "file.delete"),
        ("b", "folder.delete"),
        (None, "city.create"),
        ("b", "file.delete"),
        ("a", "file.create"),
        (None, "city.create"),
    ]
    insert = sa.text(
        "INSERT INTO history (at, via, action, subject_kind, subject_id, batch_id, visible_to) "
        "VALUES ('2026-11-30 01:02:03', 'page', :action, 'file', 1, :batch, 0)"
    )
    with db.engine.begin() as connection:
        connection.execute(insert, [{"batch": batch, "action": name} for batch, name in written])
    upgrade(revision=AFTER)
    with db.engine.connect() as connection:
        folded = list(connection.scalars(sa.text("SELECT folded FROM history ORDER BY id")))
    assert folded[:MANY] == [0, *[1] * (MANY - 1)]
    assert folded[MANY:] == [0, 0, 0, 1, 1, 0]
