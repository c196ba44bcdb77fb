"""The list of a folder: folders first, page by page, totals."""

import pytest

from app.database.cursor import FIRST, LAST, write_cursor
from app.errors import NotFound
from app.files import listing
from app.files import queries as files
from app.files.folders import queries
from app.files.folders.models import Folder
from app.files.views import FILES
from app.web import client
from tests.factories import OPERATOR
from tests.files.helpers import store


@pytest.fixture
def filled(people, monkeypatch):
    """Two folders and three files in a folder, with more below and beside it; two to a page."""
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    for number, path in enumerate(
        [
            "s/b.txt",
            "s/a.txt",
            "s/c.txt",
            "s/Y/1.txt",
            "s/Y/2.txt",
            "s/X/Z/1.txt",
            "S/x.txt",
            "s 2/x",
        ]
    ):
        store(people[number % 2], path, b"x" * number, with_folder=True)


def page_at(asked, cursor):
    """The page at a cursor, which goes through an address."""
    rows = queries.read_totals(OPERATOR, asked).rows
    cursor = FILES.read_cursor(asked, {"page": write_cursor(cursor)})
    return listing.select_files(OPERATOR, asked, cursor, rows)


def names(page):
    return [row.name for row in page.rows]


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("name", "asc", ["X", "Y", "a.txt", "b.txt", "c.txt"]),
        ("name", "desc", ["Y", "X", "c.txt", "b.txt", "a.txt"]),
        ("size", "desc", ["X", "Y", "c.txt", "a.txt", "b.txt"]),
        ("from", "asc", ["X", "Y", "b.txt", "c.txt", "a.txt"]),
        ("uploaded", "desc", ["X", "Y", "c.txt", "a.txt", "b.txt"]),
    ],
)
def test_folders_come_first_page_by_page_in_both_directions(filled, sort, order, expected):
    asked = FILES.read({"folder": "s", "sort": sort, "order": order})
    pages, page = [], page_at(asked, FIRST)
    while True:
        pages.append((page.start, names(page)))
        if page.next is None:
            break
        page = page_at(asked, page.next)
    assert pages == [(1, expected[:2]), (3, expected[2:4]), (5, expected[4:])]
    page = page_at(asked, LAST)
    assert (page.start, names(page), page.next) == (4, expected[3:], None)
    page = page_at(asked, page.previous)
    assert (page.start, names(page)) == (2, expected[1:3])
    page = page_at(asked, page.previous)
    assert (page.start, names(page)) == (1, expected[:2])


def test_totals_are_of_all_folders_below_and_rows_of_this_one(filled):
    assert queries.read_totals(OPERATOR, FILES.read({"folder": "s"})) == queries.FileTotals(
        6, 0 + 1 + 2 + 3 + 4 + 5, 5
    )
    assert queries.read_totals(OPERATOR, FILES.read({})).rows == 3
    rows = listing.read_folders(FILES.read({"folder": "s"}), FIRST, 9)
    below = queries.count_below(OPERATOR, rows)
    assert {path: each.files for path, each in below.items()} == {"s/X": 1, "s/Y": 2}
    newest = files.find_file(OPERATOR, "s/Y/2.txt").created_at
    assert below["s/Y"].uploaded_at == newest
    assert [row.creator.name for row in rows] == ["林梅", "林梅"]


def test_folders_whose_paths_joined_are_another_path_have_their_own_numbers(people):
    """`a` and `b` at the top, and `a/b` in `a`: one page after the other."""
    for path in ("a/b/1.txt", "a/2.txt", "b/3.txt"):
        store(people[0], path, b"x", with_folder=True)
    for folder, expected in (("", {"a": 2, "b": 1}), ("a", {"a/b": 1})):
        asked = FILES.read({"folder": folder})
        rows = [row for row in page_at(asked, FIRST).rows if isinstance(row, Folder)]
        below = queries.count_below(OPERATOR, rows)
        assert {path: each.files for path, each in below.items()} == expected


def test_a_search_is_below_the_folder_and_finds_folders(filled):
    def searched(**args):
        return names(page_at(FILES.read(args), FIRST))

    assert searched(folder="s", q="1.TXT") == ["1.txt", "1.txt"]
    assert searched(folder="s/X", q="1.txt") == ["1.txt"]
    assert searched(folder="s", q="z") == ["Z", "1.txt"]
    assert searched(folder="S", q="x.txt") == ["x.txt"]
    assert searched(q="y") == ["Y", "2.txt"]
    assert queries.read_totals(OPERATOR, FILES.read({"q": "y"})).rows == 3


def test_a_folder_is_found_by_its_path(filled):
    for path in ("s/X", "/s/X/"):
        assert queries.find_folder(OPERATOR, path).path == "s/X"
    for path in ("s/x", "x", "s_2"):
        with pytest.raises(NotFound):
            queries.find_folder(OPERATOR, path)
