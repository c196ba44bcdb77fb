"""Which entries are found, by whom, in which order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text

from app.actor import ANONYMOUS, Actor, Role, Via
from app.database.cursor import FIRST, LAST, Cursor, write_cursor
from app.database.engine import db
from app.errors import Forbidden, Unauthorized
from app.history import queries
from app.history.models import ADMINISTRATORS, EVERYBODY, HistoryEntry
from app.history.queries import OPERATOR, HistoryListing
from app.history.services import Change
from app.history.views import HISTORY
from app.times import now
from tests.history.conftest import ADA, ADMIN, change

SHANGHAI = ZoneInfo("Asia/Shanghai")


def found(listing=None, cursor=FIRST, actor=ADMIN, zone=SHANGHAI):
    """The page of a listing."""
    db.session.rollback()
    listing = listing or HistoryListing()
    cursor = HISTORY.read_cursor(listing, {"page": write_cursor(cursor)})
    return queries.select_entries(actor, listing, cursor, zone)


def subjects(*args, **more):
    return [entry.subject_id for entry in found(*args, **more)[0].rows]


def write(*moments, **more):
    """Entries of these moments, with the ids 1, 2, 3 ... and the same numbers of subjects."""
    common = {"via": "page", "action": "ship.update", "subject_kind": "ship", "visible_to": 0}
    rows = [
        {**common, "at": at, "subject_id": number, "actor_id": 7, **more}
        for number, at in enumerate(moments, 1)
    ]
    db.session.execute(insert(HistoryEntry.__table__), rows)
    db.session.commit()


def test_filters_find_what_they_say_newest_first(any_app):
    change(ADA, "ship.update", Change(1, {}, {}), Change(2, {}, {}), batch_id="import 4")
    change(Actor.operator(), "ship.update", Change(3, {}, {}))
    change(replace(ADA, id=8), "person.update", Change(4, {}, {}))
    change(replace(ANONYMOUS, role=Role.EDITOR), "person.update", Change(5, {}, {}))
    assert subjects() == [5, 4, 3, 2, 1]
    assert subjects(HistoryListing(descending=False)) == [1, 2, 3, 4, 5]
    assert subjects(HistoryListing(person=7)) == [2, 1]
    assert subjects(HistoryListing(person=OPERATOR)) == [3]
    assert subjects(HistoryListing(person=9)) == []
    assert subjects(HistoryListing(kind="person")) == [5, 4]
    assert subjects(HistoryListing(batch="import 4")) == [2, 1]
    assert subjects(HistoryListing(person=7, kind="person")) == []
    assert set(queries.list_authors(ADMIN)) == {7, 8}


def test_day_is_one_of_the_given_zone(any_app):
    start = datetime(2026, 3, 7, 16, tzinfo=UTC)  # midnight in Shanghai
    second, day = timedelta(microseconds=1), timedelta(days=1)
    write(start - second, start, start + timedelta(hours=5), start + day - second, start + day)
    assert subjects(HistoryListing(day=date(2026, 3, 8))) == [4, 3, 2]
    assert subjects(HistoryListing(day=date(2026, 3, 7))) == [1]
    assert subjects(HistoryListing(day=date(2026, 3, 9))) == [5]
    assert subjects(HistoryListing(day=date(2026, 3, 8)), zone=UTC) == [5, 4]
    for empty in (date(2026, 3, 1), date(2026, 4, 1)):
        assert subjects(HistoryListing(day=empty)) == []


def test_day_of_23_hours(any_app):
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Berlin, the clocks go forward
    write(start, start + timedelta(hours=22), start + timedelta(hours=23))
    listing = HistoryListing(day=date(2026, 3, 29))
    assert subjects(listing, zone=ZoneInfo("Europe/Berlin")) == [2, 1]


def test_entries_out_of_order_belong_to_the_day_of_their_time(any_app):
    midnight = datetime(2026, 3, 8, tzinfo=UTC)
    minutes = [-3, 2, -1, 1, -2, 3]
    write(*(midnight + timedelta(minutes=each) for each in minutes))
    assert subjects(HistoryListing(day=date(2026, 3, 8)), zone=UTC) == [6, 4, 2]
    assert subjects(HistoryListing(day=date(2026, 3, 7)), zone=UTC) == [5, 3, 1]


@pytest.mark.parametrize("days_around", [(), (-1,), (1,), (-1, 1)], ids=str)
def test_first_and_last_entry_of_a_quiet_day_may_be_out_of_order(any_app, days_around):
    """Within the slack there is nothing else whose id could be the end of the range."""
    morning = datetime(2026, 3, 8, 9, tzinfo=UTC)
    evening, later = morning + timedelta(hours=9), timedelta(milliseconds=5)
    write(
        *(morning + timedelta(days=days) for days in days_around if days < 0),
        *(morning + later, morning, evening + later, evening),
        *(morning + timedelta(days=days) for days in days_around if days > 0),
    )
    before = len([days for days in days_around if days < 0])
    expected = [before + number for number in (4, 3, 2, 1)]
    assert subjects(HistoryListing(day=date(2026, 3, 8)), zone=UTC) == expected


def test_entries_for_one_person_are_for_that_person_alone(any_app):
    for number, visible_to in enumerate((EVERYBODY, ADMINISTRATORS, ADMIN.id, ADA.id), 1):
        change(ADA, "ship.update", Change(number, {}, {}), visible_to=visible_to)
    page, total = found()
    assert [entry.subject_id for entry in page.rows] == [3, 2, 1]
    assert total == 3

    def seen_by(actor):
        rows = db.session.query(HistoryEntry.subject_id).filter(queries.visible_to(actor))
        return {subject for (subject,) in rows}

    assert seen_by(ADA) == {1, 4}
    assert seen_by(replace(ADA, id=8)) == {1}
    assert seen_by(Actor.operator()) == {1, 2}


def test_last_entry_is_the_newest_that_the_actor_may_see(any_app):
    change(ADA, "ship.create", Change(1, after={}))
    change(ADA, "ship.delete", Change(1, before={}))
    change(ADA, "ship.update", Change(1, {}, {}), visible_to=ADMINISTRATORS)
    change(ADA, "ship.update", Change(2, {}, {}))
    change(ADA, "port.update", Change(1, {}, {}))
    assert queries.last_entry(ADMIN, "ship", 1).id == 3
    assert queries.last_entry(ADA, "ship", 1).id == 2
    assert queries.last_entry(ADA, "ship", 3) is None


def test_removal_without_an_entry_is_not_taken_for_an_earlier_one(any_app):
    """A release without history may remove what this one restored."""
    removed_at = now()
    change(ADA, "ship.delete", Change(1, before={}), Change(2, before={}))
    change(ADA, "ship.create", Change(1, after={}))
    assert queries.find_removal("ship", 1, removed_at) == 1
    assert queries.find_removal("ship", 1, now()) is None
    assert queries.find_removal("ship", 3, removed_at) is None


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(ANONYMOUS, Unauthorized), (ADA, Forbidden), (replace(ADMIN, via=Via.TOKEN), Forbidden)],
    ids=["visitor", "editor", "token"],
)
@pytest.mark.parametrize(
    "read",
    [lambda actor: found(actor=actor), queries.list_authors],
    ids=["entries", "authors"],
)
def test_history_is_for_administrators_on_a_page(app, actor, refusal, read):
    with app.app_context(), pytest.raises(refusal):
        read(actor)


def test_paging_meets_every_entry_once_in_both_directions(any_app):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    write(*(start + timedelta(minutes=number) for number in range(120)))
    for listing in (
        HistoryListing(),
        HistoryListing(person=7),
        HistoryListing(kind="ship", day=date(2026, 1, 1)),
    ):
        page, total = found(listing, zone=UTC)
        met, starts = [], []
        while True:
            met += [entry.id for entry in page.rows]
            starts.append(page.start)
            if page.next is None:
                break
            page, total = found(listing, page.next, zone=UTC)
        assert met == [*range(120, 0, -1)]
        assert (starts, total) == ([1, 51, 101], 120)
        last, _total = found(listing, LAST, zone=UTC)
        assert ([entry.id for entry in last.rows], last.start) == ([*range(50, 0, -1)], 71)
        before, _total = found(listing, last.previous, zone=UTC)
        assert [entry.id for entry in before.rows] == [*range(100, 50, -1)]


def test_unknown_values_in_an_address_are_the_default():
    args = {"person": "x", "day": "2026-02-30", "sort": "at", "page": "x"}
    assert HISTORY.read(args) == HistoryListing()
    for day in ("0001-01-01", "9999-12-31", "2026-W01-1", "20260101", ""):
        assert HISTORY.read({"day": day}) == HistoryListing()
    listing = HistoryListing(person=0, kind="city", day=date(2026, 2, 1), batch="7")
    assert HISTORY.args(listing) == {
        "person": "0", "kind": "city", "day": "2026-02-01", "batch": "7",
    }  # fmt: skip
    assert HISTORY.read(HISTORY.args(listing)) == listing


LISTINGS = [
    HistoryListing(),
    HistoryListing(person=7),
    HistoryListing(person=OPERATOR),
    HistoryListing(kind="ship"),
    HistoryListing(batch="b3"),
    HistoryListing(day=date(2026, 1, 3)),
    HistoryListing(person=7, day=date(2026, 1, 3)),
    HistoryListing(kind="ship", day=date(2026, 1, 3)),
    HistoryListing(person=7, kind="ship"),
]


def test_every_page_is_read_by_an_index(any_app):
    """Neither sorted nor counted on the way, however far down the page is."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "at": start + timedelta(minutes=number), "action": "ship.update", "visible_to": 0,
            "subject_kind": ("ship", "port")[number % 2], "subject_id": number % 50,
            "actor_id": (7, 8, None)[number % 3], "via": ("page", "command")[number % 3 == 2],
            "batch_id": f"b{number // 500}",
        }
        for number in range(6000)
    ]  # fmt: skip
    db.session.execute(insert(HistoryEntry.__table__), rows)
    db.session.commit()
    on_sqlite = db.engine.dialect.name == "sqlite"
    db.session.execute(text("ANALYZE" if on_sqlite else "ANALYZE TABLE history"))
    explain, sorted_by_hand = (
        ("EXPLAIN QUERY PLAN", "TEMP B-TREE") if on_sqlite else ("EXPLAIN", "filesort")
    )
    for listing in LISTINGS:
        conditions = [queries.visible_to(ADMIN), *queries.filters(listing, UTC)]
        for cursor in (FIRST, LAST, Cursor(True, 3000), Cursor(False, 3000)):
            query = queries.rows_query(listing, conditions, cursor).limit(51)
            sql = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
            plan = db.session.connection().exec_driver_sql(f"{explain} {sql}".replace("%", "%%"))
            steps = str(plan.mappings().all())
            assert sorted_by_hand not in steps, (listing, steps)
            assert "'ALL'" not in steps, (listing, steps)
            assert "ix_history_subject'" not in steps, (listing, steps)
