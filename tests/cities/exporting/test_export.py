"""The register as a CSV file."""

import csv
import io
import re
import tracemalloc

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from app.cities.exporting.csv_writer import BYTE_ORDER_MARK, stream_csv
from app.cities.exporting.queries import BATCH_SIZE, batches
from app.cities.importing import queries
from app.cities.listing.queries import CityListing
from app.database.engine import db
from tests.cities.conftest import ACTOR, add_cities, multiply_cities
from tests.cities.importing.staging import begin, editor
from tests.factories import add_person
from tests.html import Page

URLS = ("/cities/export.csv", "/cities/export.xlsx")
NASTY = [
    ("=1+1", "'=x", 1),
    ("+a", "-b", 2),
    ("@a", "''=x", 3),
    ('a "quoted" name', "with, a comma", 4),
    ("🏙️", "𠮷野家", 5),
    ("  leading", "trailing\u3000", 6),
    ("Que\u0301ven", "'", 0),
    ("%", "#hash", 2_147_483_647),
    ("'s-Hertogenbosch", '"', 7),
    ("a;b", "\\", 8),
    ("＝1+1", "|calc", 9),
    ("\u200b=1+1", "a;=1+1", 10),
    ("“崖市”", "a;\u3000＠b", 11),
    ("'a;-b", "＂x＂", 12),
    ("\u3000=1", "a ' = b", 13),
    ('="1"', "sep=;", 14),
    ("å¹¿ä¸œ", "广\ufffd", 15),
    ("??", "#", 16),
    ("\u3000“x”", "\u200b”", 17),
    ("'x'", "「y」", 18),
]


def read(data):
    """The cells of a file."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_nasty_names_come_back_as_the_same(any_app):
    add_cities(*NASTY)
    person = add_person("editor", "editor")
    data = b"".join(stream_csv(batches(ACTOR, CityListing())))
    import_id = begin(editor(person), "cities.csv", data)
    counts = queries.load_import(editor(person), import_id).line_counts
    assert counts == {"new": 0, "changed": 0, "same": len(NASTY), "refused": 0}


def test_no_cell_but_a_number_begins_like_a_formula(any_app):
    add_cities(*NASTY, ("a", "negative", -5))
    for row in read(b"".join(stream_csv(batches(ACTOR, CityListing()))))[1:]:
        for cell in row[:2]:
            for part in cell.split(";") if not cell.startswith("'") else [cell]:
                assert not re.match(r"[\s\u200b]*[=+\-@|\t\r＝＋－＠｜]", part)


def test_batches_follow_one_another_without_a_gap(any_app):
    add_cities(*(("a", f"b{number}", number % 7) for number in range(50)))
    for listing in (CityListing(), CityListing(sort="users"), CityListing(province="a")):
        whole = read(b"".join(stream_csv(batches(ACTOR, listing))))
        pieces = list(stream_csv(batches(ACTOR, listing, 4)))
        assert read(b"".join(pieces)) == whole
        assert len(pieces) > 2


def test_no_connection_is_held_between_batches(any_app):
    add_cities(*(("a", f"b{number}", number) for number in range(10)))
    pieces = stream_csv(batches(ACTOR, CityListing(), 4))
    next(pieces)
    assert db.engine.pool.checkedout() == 0
    pieces.close()


def test_the_file_is_what_the_list_shows(app, as_role):
    with app.app_context():
        add_cities(("广东", "深圳市", 5), ("广东", "广州市", 7), ("湖南", "长沙市", 6))
        add_cities((None, None, None))
    viewer = as_role("viewer")
    response = viewer.get("/cities/export.csv?q=广&sort=users&order=asc")
    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    disposition = response.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="cities-\d{4}-\d\d-\d\d\.csv"', disposition)
    assert response.text.startswith(f"{BYTE_ORDER_MARK}provincename,cityname,usernumber")
    assert response.text.count("\r\n") == 3
    found = [row[:3] for row in read(response.get_data())]
    assert found[1:] == [["广东", "深圳市", "5"], ["广东", "广州市", "7"]]
    whole = [row[:3] for row in read(viewer.get("/cities/export.csv").get_data())]
    assert whole[1:] == [
        ["", "", ""], ["湖南", "长沙市", "6"], ["广东", "广州市", "7"], ["广东", "深圳市", "5"],
    ]  # fmt: skip
    assert viewer.get("/cities/export.csv?q=nowhere").get_data().count(b"\n") == 1


def test_the_list_leads_to_the_file_with_its_filters(app, as_role):
    with app.app_context():
        add_cities(("广东", "深圳市", 5))
    page = Page(as_role("editor").get("/cities?q=深圳&sort=users&order=asc"))
    listing = "q=%E6%B7%B1%E5%9C%B3&sort=users&order=asc"
    others = [f"csv?encoding={name}&" for name in ("utf-16", "gb18030", "big5", "euc-kr", "last")]
    *files, job = page.links(".head .menu-panel a")
    assert files == [f"/cities/export.{kind}{listing}" for kind in ("xlsx?", "csv?", *others)]
    assert job == f"/jobs/new/cities.export?{listing}"


def test_it_is_read_by_those_who_read_the_list(browser, make_app):
    for url in URLS:
        assert browser.get(url).status_code == 303
        assert browser.client.get(url).status_code == 401
        assert make_app(PUBLIC_READ="1").test_client().get(url).status_code == 200


def test_it_changes_nothing_by_post(as_role):
    viewer = as_role("viewer")
    for url in URLS:
        assert viewer.submit(url, page="/account/password").status_code == 405


@pytest.mark.parametrize("url", URLS)
def test_database_error_is_answered_before_anything_is_sent(app, as_role, url):
    viewer = as_role("viewer")
    with app.app_context():
        db.session.execute(text("ALTER TABLE city RENAME TO elsewhere"))
        db.session.commit()
    response = viewer.get(url)
    assert response.status_code == 500


def test_a_failure_in_the_middle_is_raised_to_the_server(app, as_role):
    with app.app_context():
        add_cities(*(("a", f"b{number}", number) for number in range(3 * BATCH_SIZE)))
    response = as_role("viewer").get("/cities/export.csv", buffered=False)
    pieces = response.iter_encoded()
    assert next(pieces).count(b"\r\n") == BATCH_SIZE + 1
    with app.app_context():
        db.session.execute(text("ALTER TABLE city RENAME TO elsewhere"))
        db.session.commit()
    with pytest.raises(OperationalError):
        next(pieces)
    response.close()


def test_memory_does_not_grow_with_the_register(app):
    with app.app_context():
        add_cities(*(("广东", f"城市{n}", n) for n in range(1000)))
        multiply_cities(8)
        largest, count = 0, 0

        def note(*_args):
            nonlocal largest
            largest = max(largest, tracemalloc.get_traced_memory()[0])

        event.listen(db.engine, "before_cursor_execute", note)
        tracemalloc.start()
        try:
            for piece in stream_csv(batches(ACTOR, CityListing())):
                count += piece.count(b"\r\n")
        finally:
            tracemalloc.stop()
            event.remove(db.engine, "before_cursor_execute", note)
    assert count == 8_001
    assert largest < 1_600_000  # all of these rows together are more than 2.6 MB
