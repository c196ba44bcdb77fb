"""The list of files, on both databases: search, order, pages, sums."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, text, update

from app.database.engine import db
from app.database.keyset import FIRST, LAST, Cursor, write_cursor
from app.files import listing, purging, services
from app.files.models import File
from app.times import now
from tests.files.helpers import PNG, REPORT, editor, keep


def names(page: listing.FilePage) -> list[str]:
    return [file.name for file, _owner in page.rows]


def test_the_list_is_searched_in_any_case_width_and_place(people):
    keep(people[0], REPORT)
    keep(people[0], "Survey/ＡＢＣ.PDF", with_folder=True)
    keep(people[1], "100%_ok.png", PNG)

    def found(search: str) -> list[str]:
        return names(listing.read_page(listing.read_listing({"q": search}), {}))

    assert found("终") == [REPORT]
    assert found("abc") == ["ＡＢＣ.PDF"]
    assert found("SURVEY/") == ["ＡＢＣ.PDF"]
    assert found("%") == ["100%_ok.png"]
    assert found("0_o") == []
    assert len(found("")) == 3


@pytest.fixture
def eight(people, monkeypatch):
    """Files of two people with ties in size and time, three to a page."""
    monkeypatch.setattr(listing, "PAGE", 3)
    start = datetime(2026, 1, 1, 12, 0, 0, 5, UTC)
    for number in range(8):
        name = f"{'ab'[number // 4]}{number}.txt"
        kept = keep(people[number % 2], name, b"x" * (number // 3))
        moment = start - timedelta(days=number // 2)
        db.session.execute(update(File).where(File.id == kept.id).values(created_at=moment))
    db.session.commit()


KEYS = {
    "name": lambda file, _owner: file.name,
    "from": lambda _file, owner: owner,
    "size": lambda file, _owner: file.size,
    "uploaded": lambda file, _owner: file.created_at,
}


@pytest.mark.parametrize("sort", ["name", "from", "size", "uploaded"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_paging_by_key_shows_every_row_once_in_both_directions(eight, sort, order):
    asked = listing.read_listing({"sort": sort, "order": order})
    page = listing.read_page(asked, {})
    assert (page.first, page.previous) == (None, None)
    met, places = [*page.rows], [page.before]
    while page.next:
        page = listing.read_page(asked, page.next)
        met += page.rows
        places.append(page.before)
        assert (page.total, page.size) == (8, 0 * 3 + 1 * 3 + 2 * 2)
        assert page.first == asked.args()
    assert page.last is None
    values = [(KEYS[sort](file, owner), file.id) for file, owner in met]
    assert values == sorted(values, reverse=order == "desc")
    assert len(values) == 8
    assert places == [0, 3, 6]
    forward = [file.name for file, _owner in met]
    page = listing.read_page(asked, {"page": write_cursor(LAST)})
    assert (names(page), page.before) == (forward[-3:], 5)
    page = listing.read_page(asked, page.previous)
    assert (names(page), page.before) == (forward[2:5], 2)
    page = listing.read_page(asked, page.previous)
    assert (names(page), page.before) == (forward[:3], 0)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "Pg", Cursor(True, 1), Cursor(True, 1, 7), Cursor(True, 1, None, 7),
     Cursor(True, 1, "abc", 7), Cursor(False, 5, "\0", 7), Cursor(True, 1, 2**63, 7)],
)  # fmt: skip
def test_a_place_that_is_none_is_the_first_page(people, cursor):
    keep(people[0], "a.txt", b"x")
    asked = listing.read_listing({"sort": "size"})
    page = cursor if isinstance(cursor, str) else write_cursor(cursor)
    found = listing.read_page(asked, {"page": page})
    assert (len(found.rows), found.before) == (1, 0)


def test_where_nothing_is_left_the_first_page_is_shown(eight, people):
    asked = listing.read_listing({"sort": "name"})
    second = listing.read_page(asked, {}).next
    for file_id in range(4, 9):
        services.remove_file(editor(people[0]), file_id)
    page = listing.read_page(asked, second)
    assert (names(page), page.before, page.total) == (["a0.txt", "a1.txt", "a2.txt"], 0, 3)


def test_what_is_older_than_its_row_is_listed_by_its_own_time(people):
    keep(people[0], "today.txt", b"1")
    old = keep(people[1], "plan.txt", b"2").id
    moment = datetime(2019, 5, 1, tzinfo=UTC)
    db.session.execute(update(File).where(File.id == old).values(created_at=moment))
    db.session.commit()
    assert names(listing.read_page(listing.read_listing({}), {})) == ["today.txt", "plan.txt"]


@pytest.fixture
def sums_asked():
    """The statements that counted all files."""
    asked = []

    def note(_connection, _cursor, statement, *_more):
        if "sum(file.size)" in statement:
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(db.engine, "before_cursor_execute", note)


def test_all_files_are_counted_once_until_one_changes(people, sums_asked):
    def sums(**args):
        page = listing.read_page(listing.read_listing(args), {})
        return page.total, page.size

    first = keep(people[0], "a.txt", b"x" * 3).id
    assert [sums(), sums(), sums()] == [(1, 3)] * 3
    assert len(sums_asked) == 1
    keep(people[1], "b.txt", b"x" * 4)
    assert [sums(), sums(q="b"), sums()] == [(2, 7), (1, 4), (2, 7)]
    assert len(sums_asked) == 3
    services.remove_file(editor(people[0]), first)
    assert (sums(), sums(removed="1")) == ((1, 4), (1, 3))
    services.restore_file(editor(people[0]), first)
    assert (sums(), sums(removed="1")) == ((2, 7), (0, 0))
    services.remove_file(editor(people[0]), first)
    assert sums(removed="1") == (1, 3)
    moment = now() - timedelta(days=8)
    db.session.execute(update(File).where(File.id == first).values(removed_at=moment))
    db.session.commit()
    assert purging.purge_removed() == 1
    assert sums(removed="1") == (0, 0)


def test_every_page_is_read_by_an_index(any_app, people):
    """Neither sorted nor counted on the way, however far down the page is."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "owner_id": people[number % 2], "folder": f"f{number}", "name": "a.txt",
            "ending": "txt", "size": number % 900, "sha256": "0" * 64, "version": 1,
            "content_type": "text/plain", "stored_name": f"{number:032x}.txt", "downloads": 0,
            "name_key": f"{number % 700}.txt", "search_key": f"f{number}/a.txt",
            "created_at": start + timedelta(minutes=number),
            "replaced_at": start if number % 7 == 0 else None,
            "removed_at": start if number % 11 == 0 else None,
        }
        for number in range(6000)
    ]  # fmt: skip
    db.session.execute(insert(File.__table__), rows)
    db.session.commit()
    is_sqlite = db.engine.dialect.name == "sqlite"
    db.session.execute(text("ANALYZE" if is_sqlite else "ANALYZE TABLE file"))
    explain, sorted_by_hand = (
        ("EXPLAIN QUERY PLAN", "TEMP B-TREE") if is_sqlite else ("EXPLAIN", "filesort")
    )
    for sort in KEYS:
        for order in ("asc", "desc"):
            asked = listing.read_listing({"sort": sort, "order": order})
            deep = listing.read_rows(asked, FIRST, 3000)[-1]
            for cursor in (FIRST, LAST, listing.cursor_at(asked, deep, True, 3000)):
                for query in listing.segments(asked, cursor, 51):
                    limited = query.limit(51).compile(
                        db.engine, compile_kwargs={"literal_binds": True}
                    )
                    plan = db.session.connection().exec_driver_sql(
                        f"{explain} {limited}".replace("%", "%%")
                    )
                    steps = str(plan.mappings().all())
                    assert "ix_file_listed_" in steps, (asked, steps)
                    assert sorted_by_hand not in steps, (asked, steps)


def test_what_was_removed_is_listed_for_those_who_may_bring_it_back(people):
    kept = keep(people[0], "a.txt", b"x")
    services.remove_file(editor(people[0]), kept.id)
    assert listing.read_page(listing.read_listing({}), {}).total == 0
    assert listing.read_page(listing.read_listing({"removed": "1"}), {}).total == 1
    assert listing.read_page(listing.read_listing({"removed": "1"}, people[0]), {}).total == 1
    assert listing.read_page(listing.read_listing({"removed": "1"}, people[1]), {}).total == 0
