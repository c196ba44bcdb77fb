"""The list of files, on both databases: search, order, pages, sums."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import insert, text, update

from app.actor import ANONYMOUS
from app.database.cursor import FIRST, LAST, Cursor, write_cursor
from app.database.engine import db
from app.errors import Unauthorized
from app.files import listing, services
from app.files.folders import queries as folders
from app.files.listing import FileListing
from app.files.models import File
from app.files.views import FILES
from app.web import client
from tests.factories import OPERATOR, statements
from tests.files.helpers import PNG, REPORT, editor, store


def names(page):
    return [row.name for row in page.rows]


def totals(asked):
    """How many files there are, and their size."""
    found = folders.read_totals(OPERATOR, asked)
    return found.files, found.size


def found(asked=None, cursor=FIRST):
    """The page at a cursor, which goes through an address."""
    asked = asked or FileListing()
    cursor = FILES.read_cursor(asked, {"page": write_cursor(cursor)})
    rows = folders.read_totals(OPERATOR, asked).rows
    return listing.select_files(OPERATOR, asked, cursor, rows)


def test_the_list_is_searched_in_any_case_width_and_place(people):
    store(people[0], REPORT)
    store(people[0], "Survey/ＡＢＣ.PDF", with_folder=True)
    store(people[1], "100%_ok.png", PNG)

    def searched(words):
        return names(found(FILES.read({"q": words})))

    assert searched("终") == [REPORT]
    assert searched("abc") == ["ＡＢＣ.PDF"]
    assert searched(" SURVEY/ ") == ["ＡＢＣ.PDF"]
    assert searched("%") == ["100%_ok.png"]
    assert searched("0_o") == []
    assert len(searched("")) == 3


@pytest.fixture
def eight(people, monkeypatch):
    """Files of two people with ties in size and time, three to a page."""
    monkeypatch.setattr(client, "PAGE_SIZE", 3)
    start = datetime(2026, 1, 1, 12, 0, 0, 5, UTC)
    for number in range(8):
        name = f"{'ab'[number // 4]}{number}.txt"
        stored = store(people[number % 2], name, b"x" * (number // 3))
        moment = start - timedelta(days=number // 2)
        db.session.execute(update(File).where(File.id == stored.id).values(created_at=moment))
    db.session.commit()


KEYS = {
    "name": lambda file: file.name,
    "from": lambda file: file.owner.name,
    "size": lambda file: file.size,
    "uploaded": lambda file: file.created_at,
}


@pytest.mark.parametrize("sort", ["name", "from", "size", "uploaded"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_paging_by_key_shows_every_row_once_in_both_directions(eight, sort, order):
    asked = FILES.read({"sort": sort, "order": order})
    page = found(asked)
    assert page.previous is None
    met, places = [*page.rows], [page.start]
    while page.next:
        page = found(asked, page.next)
        met += page.rows
        places.append(page.start)
    assert totals(asked) == (8, 0 * 3 + 1 * 3 + 2 * 2)
    values = [(KEYS[sort](file), file.id) for file in met]
    assert values == sorted(values, reverse=order == "desc")
    assert len(values) == 8
    assert places == [1, 4, 7]
    forward = [file.name for file in met]
    page = found(asked, LAST)
    assert (names(page), page.start) == (forward[-3:], 6)
    page = found(asked, page.previous)
    assert (names(page), page.start) == (forward[2:5], 3)
    page = found(asked, page.previous)
    assert (names(page), page.start) == (forward[:3], 1)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "Pg",
        Cursor(True, 1, "abc", 7),
        Cursor(False, 5, "\0", 7),
        Cursor(True, 1, 2**63, 7),
    ],
)
def test_an_invalid_cursor_is_the_first_page(cursor):
    page = cursor if isinstance(cursor, str) else write_cursor(cursor)
    assert FILES.read_cursor(FileListing(sort="size"), {"page": page}) == FIRST


def test_beyond_the_last_row_the_first_page_is_shown(eight, people):
    asked = FILES.read({"sort": "name"})
    second = found(asked).next
    for file_id in range(4, 9):
        services.remove_file(editor(people[0]), file_id)
    page = found(asked, second)
    assert (names(page), page.start) == (["a0.txt", "a1.txt", "a2.txt"], 1)


def test_an_adopted_file_is_listed_by_its_own_time(people):
    store(people[0], "today.txt", b"1")
    old = store(people[1], "plan.txt", b"2").id
    moment = datetime(2019, 5, 1, tzinfo=UTC)
    db.session.execute(update(File).where(File.id == old).values(created_at=moment))
    db.session.commit()
    assert names(found()) == ["today.txt", "plan.txt"]


@pytest.fixture
def sums_asked():
    """The statements that counted all files."""
    with statements() as sent:
        yield lambda: [statement for statement, _values in sent if "sum(file.size)" in statement]


def test_all_files_are_counted_once_until_one_changes(people, sums_asked):
    def sums(**args):
        return totals(FILES.read(args))

    first = store(people[0], "a.txt", b"x" * 3).id
    assert [sums(), sums(), sums()] == [(1, 3)] * 3
    assert len(sums_asked()) == 1
    store(people[1], "b.txt", b"x" * 4)
    assert [sums(), sums(q="b"), sums()] == [(2, 7), (1, 4), (2, 7)]
    assert len(sums_asked()) == 3
    services.remove_file(editor(people[0]), first)
    assert sums() == (1, 4)
    services.restore_file(editor(people[0]), first)
    assert sums() == (2, 7)
    services.remove_file(editor(people[0]), first)
    assert sums() == (1, 4)


def test_every_page_is_read_by_an_index(any_app, people):
    """Neither sorted nor counted on the way, however far down the page is."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "owner_id": people[number % 2], "folder": f"f{number}" if number % 3 else "survey",
            "name": f"{number}.txt", "ending": "txt", "size": number % 900,
            "sha256": "0" * 64, "version": 1,
            "content_type": "text/plain", "stored_name": f"{number:032x}.txt", "downloads": 0,
            "name_key": f"{number % 700}.txt", "search_key": f"survey/{number}.txt",
            "created_at": start + timedelta(minutes=number),
            "replaced_at": start if number % 7 == 0 else None,
            "removed_at": start if number % 11 == 0 else None,
        }
        for number in range(6000)
    ]  # fmt: skip
    for first in range(0, len(rows), 1000):
        db.session.execute(insert(File.__table__), rows[first : first + 1000])
    db.session.commit()
    is_sqlite = db.engine.dialect.name == "sqlite"
    db.session.execute(text("ANALYZE" if is_sqlite else "ANALYZE TABLE file"))
    sorted_by_hand = "TEMP B-TREE" if is_sqlite else "filesort"
    wanted = (({"folder": "survey"}, "ix_file_in_folder_"), ({"q": "survey"}, "ix_file_listed_"))
    for sort, order, (args, index) in product(KEYS, ("asc", "desc"), wanted):
        asked = FILES.read({"sort": sort, "order": order, **args})
        deep = listing.read_rows(asked, FIRST, 900)[-1]
        for cursor in (FIRST, LAST, listing.cursor_at(asked, deep, True, 900)):
            by_owner = sort == "from" and listing.owner_queries(asked, cursor, 51)
            for query in by_owner or [listing.rows_query(asked, cursor)]:
                steps = plan_of(query.limit(51))
                assert index in steps, (asked, steps)
                assert sorted_by_hand not in steps, (asked, steps)


def plan_of(query):
    """How the database executes a query, as text."""
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    statement = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    sent = f"{explain} {statement}".replace("%", "%%")
    return str(db.session.connection().exec_driver_sql(sent).mappings().all())


def test_visitors_list_no_files(people):
    asked = FileListing()
    with pytest.raises(Unauthorized):
        folders.read_totals(ANONYMOUS, asked)
    with pytest.raises(Unauthorized):
        listing.select_files(ANONYMOUS, asked, FIRST, 0)
