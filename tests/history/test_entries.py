"""Entries as the page shows them."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.actor import ANONYMOUS, Actor, Role, Via
from app.database.engine import db
from app.history.entries import VALUE_SHOWN, describe
from app.history.models import HistoryEntry
from app.history.services import Change
from tests.history.conftest import ADA, ADMIN, SCRIPT, change, register_kinds


def rows(app, language=None):
    """The rows of all entries, oldest first."""
    db.session.rollback()
    with app.test_request_context(headers={"Accept-Language": language or "en"}):
        return describe(ADMIN, db.session.query(HistoryEntry).order_by(HistoryEntry.id).all())


def changes(row):
    return [(each.name, each.old, each.new) for each in row.changes]


def test_row_says_who_what_and_which_fields(any_app, known):
    change(ADA, "ship.update", Change(1, {"crew": 65_000}, {"crew": 74_000}))
    [row] = rows(any_app)
    assert (row.who, row.via, row.action) == ("Ada Lovelace", "", "Ship changed")
    assert (row.label, row.url, row.batch) == ("Beagle", "/ships/1", None)
    assert changes(row) == [("Crew", "65,000", "74,000")]


@pytest.mark.parametrize(
    ("actor", "who", "via"),
    [
        (Actor.operator(), "Command line", ""),
        (SCRIPT, "Ada Lovelace", "by token"),
        (replace(ADA, via=Via.JOB), "Ada Lovelace", "by job"),
        (replace(ADA, id=99), "#99", ""),
        (Actor(None, "", Role.ADMIN, Via.SCHEDULE), "Schedule", ""),
        (replace(ANONYMOUS, role=Role.EDITOR), "Visitor", ""),
    ],
)
def test_who_acted_and_how(any_app, known, actor, who, via):
    change(actor, "ship.update", Change(1, {}, {}))
    [row] = rows(any_app)
    assert (row.who, row.via) == (who, via)


@pytest.mark.parametrize(
    ("actor_id", "who", "via"), [(7, "Ada Lovelace", "socket"), (None, "socket", "")]
)
def test_channel_of_a_newer_release_is_shown_as_it_is_written(any_app, known, actor_id, who, via):
    change(ADA, "ship.update", Change(1, {}, {}))
    db.session.execute(update(HistoryEntry).values(via="socket", actor_id=actor_id))
    db.session.commit()
    [row] = rows(any_app)
    assert (row.who, row.via) == (who, via)


def test_deleted_subject_is_called_as_its_entries_say(any_app, known):
    change(ADA, "ship.update", Change(8, {"crew": 1}, {"crew": 2}))
    change(ADA, "ship.delete", Change(8, before={"port": "Oslo", "ship": "Old name", "crew": 2}))
    change(ADA, "ship.update", Change(9, {"ship": "Maud"}, {"ship": "Maudie"}))
    change(ADA, "ship.update", Change(10, {"crew": 1}, {"crew": 2}))
    change(ADA, "ship.delete", Change(8, before={"port": "Oslo", "ship": "Gjøa", "crew": 2}))
    found = rows(any_app)
    assert [row.label for row in found] == ["Gjøa", "Gjøa", "Maudie", "#10", "Gjøa"]
    assert {row.url for row in found} == {""}
    # The name that the row shows already is left out.
    assert changes(found[4]) == [("Port", "Oslo", None), ("Crew", "2", None)]
    assert changes(found[1])[1] == ("Name", "Old name", None)


def test_empty_fields_of_something_new_are_left_out(any_app, known):
    new = {"port": "", "ship": "Fram", "crew": 0}
    change(ADA, "ship.create", Change(1, after=new))
    [row] = rows(any_app)
    assert changes(row) == [("Name", None, "Fram"), ("Crew", None, "0")]


def test_fixed_name_is_not_shown_beside_a_longer_label(any_app, known):
    change(ADA, "cargo.create", Change(1, after={"what": "tea", "boxes": 7}))
    [row] = rows(any_app)
    assert (row.label, changes(row)) == ("tea (Beagle)", [("Boxes", None, "7")])


def test_count_of_nothing_is_left_out_unless_it_changed(any_app, known):
    change(ADA, "cargo.create", Change(1, after={"what": "tea", "boxes": 0}))
    change(ADA, "cargo.update", Change(1, {"boxes": 1200}, {"boxes": 0}))
    created, changed = rows(any_app)
    assert changes(created) == []
    assert changes(changed) == [("Boxes", "1,200", "0")]


def test_subject_that_may_not_be_read_has_no_link(any_app, known):
    change(ADA, "ship.update", Change(3, {"crew": 1}, {"crew": 2}))
    assert [(row.label, row.url) for row in rows(any_app)] == [("Nautilus", "")]


def test_unknown_kind_is_shown_plainly(any_app, known):
    change(ADA, "comet.create", Change(4, after={"name": "Halley", "mass": 5}))
    [row] = rows(any_app)
    assert (row.action, row.label, row.url) == ("comet.create", "#4", "")
    assert changes(row) == [("name", None, "Halley"), ("mass", None, "5")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "(empty)"),
        ("", "(empty)"),
        ([], "(empty)"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (-1234, "-1,234"),
        (["a", "b"], "a, b"),
        ("x" * VALUE_SHOWN, "x" * VALUE_SHOWN),
        ("x" * 2000, "x" * VALUE_SHOWN + "…"),
        (
            "2026-11-30T04:05:06+00:00",
            "Nov 30, 2026, 12:05:06\u202fPM GMT+08:00 (China Standard Time)",
        ),
    ],
)
def test_values_are_short_and_in_the_readers_language(app, monkeypatch, value, shown):
    register_kinds(app, monkeypatch)
    with app.app_context():
        change(ADA, "person.update", Change(7, {"name": "?"}, {"name": value}))
        assert changes(rows(app)[0]) == [("Name", "?", shown)]


def test_package_may_format_a_field(any_app, known):
    change(ADA, "person.update", Change(7, {"role": None}, {"role": "editor"}))
    assert changes(rows(any_app)[0]) == [("Role", "(empty)", "<editor>")]


def test_labels_are_asked_once_for_each_kind(any_app, known):
    for number in range(1, 4):
        change(ADA, "ship.update", Change(number, {"crew": 1}, {"crew": 2}))
        change(ADMIN, "person.update", Change(7, {"name": "A"}, {"name": "Ada"}))
    assert len(rows(any_app)) == 6
    assert sorted(known) == [[1, 2, 3], [1, 7], [7]]


def test_chinese(any_app, known):
    change(Actor.operator(), "ship.update", Change(1, {"crew": None}, {"crew": 2}))
    [row] = rows(any_app, "zh")
    assert (row.who, changes(row)) == ("命令行", [("Crew", "（空）", "2")])
