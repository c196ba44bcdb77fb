"""An upgrade from the last release with waiting previews, and its processes beside ours."""

import secrets

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.cities.importing import queries
from app.cities.importing.models import CityImport
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from app.errors import NotFound
from app.times import now
from tests.cities.importing.staging import confirm, editor, kinds, register, stage
from tests.conftest import environment

LAST_RELEASE = "0009"


def import_of_the_last_release(person, applied_at=None):
    """A staged import with one new and one refused line, as the last release writes them."""
    insert = sa.text(
        "INSERT INTO city_import (person_id, file_name, ignored, has_number, ready, preview, "
        "created_at, applied_at, added, changed) VALUES (:person, 'a.csv', '', 1, 1, 1, "
        ":created_at, :applied_at, 0, 0)"
    )
    line = sa.text(
        "INSERT INTO city_import_row (import_id, line, kind, provincename, cityname, number_text, "
        "surplus, usernumber, field, reason) VALUES (:id, :line, :kind, 'a', 'b', '1', 0, :users, "
        "'', '')"
    )
    with db.engine.begin() as connection:
        created_at = now().strftime("%Y-%m-%d %H:%M:%S.%f")
        values = {"person": person, "created_at": created_at, "applied_at": applied_at}
        import_id = connection.execute(insert, values).lastrowid
        if applied_at is None:
            for number, kind, users in ((2, "new", 1), (3, "refused", None)):
                row = {"id": import_id, "line": number, "kind": kind, "users": users}
                connection.execute(line, row)
    return import_id


def editor_of_the_last_release():
    """A person as the last release writes them; returns the id."""
    insert = sa.text(
        "INSERT INTO person (name, name_key, password_hash, role, active, must_change_password, "
        "epoch, created_at) VALUES ('editor', 'editor', '', 'editor', 1, 0, 1, :created_at)"
    )
    with db.engine.begin() as connection:
        created_at = now().strftime("%Y-%m-%d %H:%M:%S.%f")
        return connection.execute(insert, {"created_at": created_at}).lastrowid


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def last_release(request, tmp_path, redis_url):
    """A database of the last release, with an editor."""
    url = f"sqlite:///{tmp_path / 'last.sqlite'}"
    if request.param == "mariadb":
        url = f"{request.getfixturevalue('mariadb_url')}/last_{secrets.token_hex(4)}"
    settings = Settings.load(environment(tmp_path, redis_url, url))
    create_database(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        upgrade(revision=LAST_RELEASE)
        yield editor_of_the_last_release()
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def test_previews_are_not_shown_any_more_and_confirmed_imports_are(last_release):
    waiting = import_of_the_last_release(last_release)
    confirmed = import_of_the_last_release(last_release, "2026-01-01 00:01:00.000000")
    upgrade()
    actor = editor(last_release)
    assert queries.load_import(actor, confirmed).applied_at is not None
    with pytest.raises(NotFound):
        queries.load_import(actor, waiting)
    confirm(stage(last_release, "a,b,1\n"), last_release)
    assert register() == [("a", "b", 1)]


def test_neither_release_confirms_what_the_other_staged(last_release):
    upgrade()
    theirs = import_of_the_last_release(last_release)  # their statements go on working
    with pytest.raises(NotFound):
        queries.load_import(editor(last_release), theirs)
    ours = stage(last_release, "a,b,1\n")
    with db.engine.connect() as connection:
        theirs_only = sa.text("SELECT id FROM city_import WHERE ready")
        assert connection.scalars(theirs_only).all() == [theirs]
    assert kinds(ours) == ["new"]


def test_imports_get_their_states_and_counts(last_release):
    upgrade(revision="0025")
    waiting, confirmed, chosen = (
        import_of_release_25(last_release, **values)
        for values in (
            {"fields": "[]"},
            {"fields": "[]", "applied_at": "2026-01-01 00:01:00.000000", "added": 3, "changed": 4},
            {},
        )
    )
    upgrade()
    rows = {row.id: row for row in db.session.scalars(sa.select(CityImport))}
    states = [rows[import_id].state for import_id in (waiting, confirmed, chosen)]
    assert states == ["staged", "applied", "stored"]
    counts = {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert (rows[waiting].line_counts, rows[waiting].staged_line) == (counts, 3)
    assert rows[confirmed].finished_at == rows[confirmed].applied_at
    assert rows[confirmed].line_counts == {"new": 3, "changed": 4, "same": 0, "refused": 0}
    db.session.add(CityImport(file_name="of the operator", ignored=""))
    db.session.commit()


def import_of_release_25(person, **values):
    """An import as it was before there were states, with a new and a refused line."""
    insert = (
        "INSERT INTO city_import (person_id, file_name, ignored, has_number, ready, preview, "
        "created_at, added, changed{names}) VALUES (:person, 'a.csv', '', 0, 0, 1, :created_at, "
        "{added}, {changed}{values})"
    )
    added, changed = values.pop("added", 0), values.pop("changed", 0)
    names = "".join(f", {name}" for name in values)
    own = "".join(f", :{name}" for name in values)
    line = sa.text(
        "INSERT INTO city_import_line (import_id, line, kind, cells, surplus, faults, reason) "
        "VALUES (:id, :line, :kind, '{}', 0, '', '')"
    )
    with db.engine.begin() as connection:
        created_at = now().strftime("%Y-%m-%d %H:%M:%S.%f")
        text = insert.format(names=names, values=own, added=added, changed=changed)
        given = {"person": person, "created_at": created_at, **values}
        import_id = connection.execute(sa.text(text), given).lastrowid
        for number, kind in ((2, "new"), (3, "refused")) if "applied_at" not in values else ():
            connection.execute(line, {"id": import_id, "line": number, "kind": kind})
    return import_id
