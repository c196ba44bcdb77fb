"""Staging, cancelling and expiry of an import, on both databases."""

from itertools import pairwise

import pytest
from sqlalchemy import event, select

from app.actor import Actor
from app.cities.importing import cleaning, queries, services
from app.cities.importing.applying.services import confirm_import
from app.cities.importing.models import CityImport, LineKind
from app.database.cursor import LAST
from app.database.engine import db
from app.errors import NotFound
from tests.cities.conftest import add_cities
from tests.cities.importing.staging import (
    HEADER,
    begin,
    confirm,
    editor,
    expire,
    kinds,
    outcomes,
    perform,
    register,
    stage,
)
from tests.factories import actor_of, add_person


def test_only_its_owner_finds_an_import(person):
    stranger = editor(add_person("stranger", "editor"))
    import_id = stage(person, "a,b,1\n")
    for verb in (queries.load_import, services.cancel_import):
        with pytest.raises(NotFound):
            verb(stranger, import_id)
    with pytest.raises(NotFound):
        confirm_import(stranger, import_id, 1)
    assert queries.load_import(Actor.operator(), import_id).id == import_id
    assert queries.list_waiting(stranger) == []


def test_administrators_see_and_confirm_what_the_operator_imports(any_app, person):
    import_id = begin(Actor.operator(), "a.csv", f"{HEADER}a,b,1\n".encode())
    assert db.session.get_one(CityImport, import_id).person_id is None
    with pytest.raises(NotFound):
        queries.load_import(editor(person), import_id)
    admin = actor_of(add_person("admin", "admin"))
    preview = queries.load_import(admin, import_id).preview
    confirm_import(admin, import_id, preview)
    perform()
    assert register() == [("a", "b", 1)]


def test_cancelled_import_is_not_found(person):
    import_id = stage(person, "a,b,1\n")
    services.cancel_import(editor(person), import_id)
    with pytest.raises(NotFound):
        queries.load_import(editor(person), import_id)
    assert outcomes(import_id) == []


def test_cancelling_after_the_confirmation_changes_nothing(person):
    import_id = stage(person, "a,b,1\n")
    confirm(import_id, person)
    services.cancel_import(editor(person), import_id)
    assert confirm(import_id, person) == (1, 0)


def test_import_expires_after_a_day(person):
    old, young = stage(person, "a,b,1\n"), stage(person, "a,b,1\n")
    expire(old)
    assert cleaning.delete_ended() == 1
    assert outcomes(old) == []
    assert kinds(young) == ["new"]


def test_the_oldest_expired_imports_go_first_a_few_at_a_time_each_by_itself(person):
    people = [person] * cleaning.AT_ONCE + [add_person("second", "editor")] * 2
    old = [stage(owner, "a,b,1\n") for owner in people]
    expire(*old)
    statements = []
    event.listen(db.engine, "commit", lambda _connection: statements.append("commit"))
    event.listen(
        db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: statements.append(sql[:23])
    )
    cleaning.delete_ended()
    pairs = list(pairwise(statements))
    # Of each the lines, then the import.
    assert pairs.count(("DELETE FROM city_import", "commit")) == 2 * cleaning.AT_ONCE
    left = db.session.scalars(select(CityImport.id).order_by(CityImport.id)).all()
    assert left == old[-2:]
    assert kinds(old[-1]) == ["new"]


def test_an_expired_import_is_not_found_before_it_is_deleted(person):
    """The deletion is housekeeping; that an import expires does not depend on it."""
    waiting, applied = stage(person, "a,b,1\n"), stage(person, "a,c,1\n")
    confirm(applied, person)
    preview = queries.load_import(editor(person), waiting).preview
    expire(waiting, applied)
    with pytest.raises(NotFound):
        queries.load_import(editor(person), waiting)
    for verb in (services.cancel_import, lambda *args: confirm_import(*args, preview)):
        with pytest.raises(NotFound):
            verb(editor(person), waiting)
    assert queries.list_waiting(editor(person)) == []
    assert register() == [("a", "c", 1)]
    assert queries.load_import(Actor.operator(), applied).added == 1


def test_five_thousand_lines_are_staged_in_chunks_and_read_in_parts(person):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(5000)))
    found = queries.load_import(editor(person), import_id)
    assert found.line_counts == {"new": 5000, "changed": 0, "same": 0, "refused": 0}
    listing = queries.LineListing(kind=LineKind.NEW)
    last = queries.select_lines(found, listing, LAST, 100, 5000)
    assert (last.start, last.rows[-1].cityname, last.next) == (4901, "b4999", None)
    assert confirm(import_id, person) == (5000, 0)
    again = stage(person, "".join(f"a,b{i},{i + i % 2}\n" for i in range(5000)))
    found = queries.load_import(editor(person), again)
    assert found.line_counts == {"new": 0, "changed": 2500, "same": 2500, "refused": 0}
    assert confirm(again, person) == (0, 2500)
    assert register()[-2:] == [("a", "b1", 2), ("a", "b0", 0)]


def test_city_with_a_trailing_space_in_its_name_is_changed_too(person):
    """The original program stored what was typed."""
    add_cities(("a", "b ", 5))
    import_id = stage(person, "a,b,6\n")
    assert kinds(import_id) == ["changed"]
    confirm(import_id, person)
    assert [row[2] for row in register()] == [6]
