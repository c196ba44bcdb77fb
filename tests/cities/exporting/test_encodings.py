"""CSV files in other encodings, and what these cannot hold."""

import csv
import io

import pytest

from app.cities.exporting.csv_writer import stream_csv, unguard
from app.cities.exporting.encodings import ENCODINGS, read_encoding
from app.cities.exporting.queries import batches
from app.cities.importing import queries
from app.cities.listing.queries import CityListing
from tests.cities.conftest import ACTOR, add_cities
from tests.cities.importing.staging import begin, editor
from tests.html import Page

SIMPLIFIED = [("广东", "深圳市", 5), ("湖南", "长沙市", 6), ("=1", "'+x", 7), (None, "a;-b", None)]
TRADITIONAL = [("廣東", "深圳市", 5), ("香港", "九龍城", 6), ("=1", "'+x", 7), ("江蘇", "揚州", 8)]
KOREAN = [("서울특별시", "종로구", 5), ("부산", "해운대구", 6), ("=1", "'+x", 7)]
NASTY = [("🏙️", "𠮷野家", 5), ("İzmir", "ß, “x”", 6), ("a\u200bb", '"', 7), *SIMPLIFIED]
BEGINS = {
    "utf-8": b"\xef\xbb\xbfp", "utf-16": b"\xff\xfep\0", "gb18030": b"prov", "big5": b"prov",
    "euc-kr": b"prov",
}  # fmt: skip


def export(name):
    return b"".join(stream_csv(batches(ACTOR, CityListing(descending=False), 2), ENCODINGS[name]))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("utf-8", NASTY), ("utf-16", NASTY), ("gb18030", NASTY), ("big5", TRADITIONAL),
        ("euc-kr", KOREAN),
    ],
)  # fmt: skip
def test_each_encoding_gives_the_names_back(app, name, rows):
    with app.app_context():
        add_cities(*rows)
        data = export(name)
    assert data.startswith(BEGINS[name])
    text = data.decode(ENCODINGS[name].codec)
    _header, *found = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [[unguard(cell) for cell in cells] for cells in found] == [
        ["" if value is None else str(value) for value in row] for row in rows
    ]


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "gb18030"])
def test_an_import_of_the_same_changes_nothing(any_app, person, name):
    rows = [row for row in SIMPLIFIED if None not in row]
    add_cities(*rows)
    import_id = begin(editor(person), "cities.csv", export(name))
    counts = queries.load_import(editor(person), import_id).line_counts
    assert counts == {"new": 0, "changed": 0, "same": len(rows), "refused": 0}


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_empty_register_is_a_header(app, name):
    with app.app_context():
        data = export(name)
    assert data.startswith(BEGINS[name])
    text = data.decode(ENCODINGS[name].codec).lstrip("\ufeff")
    assert text == "provincename,cityname,usernumber\r\n"


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_answer_names_the_encoding(app, as_role, name):
    with app.app_context():
        add_cities(("a", "b", 1))
    response = as_role("viewer").get(f"/cities/export.csv?encoding={name.upper()}")
    assert response.status_code == 200
    assert response.content_type == f"text/csv; charset={name}"
    assert response.get_data().startswith(BEGINS[name])


def test_without_a_name_it_is_utf_8(app, as_role):
    viewer = as_role("viewer")
    for url in ("/cities/export.csv", "/cities/export.csv?encoding="):
        response = viewer.get(url)
        assert response.content_type == "text/csv; charset=utf-8"
        assert response.get_data().startswith(BEGINS["utf-8"])


def test_what_an_encoding_lacks_is_said_before_anything_is_sent(app, as_role):
    with app.app_context():
        add_cities(("廣東", "深圳市", 5), ("湖南", "长沙市", 6))
    viewer = as_role("viewer")
    url = "/cities/export.csv?encoding=big5&sort=users&order=asc"
    response = viewer.get(url)
    assert response.status_code == 422
    page = Page(response)
    assert "“长” in 长沙市 cannot be written in Big5." in page.text("main")
    assert page.links(".submit-row a") == [
        "/cities/export.csv?sort=users&order=asc",
        "/cities/export.csv?encoding=gb18030&sort=users&order=asc",
        "/cities/export.xlsx?sort=users&order=asc",
    ]
    refusal = viewer.client.get(url, headers={"Accept": "application/json"})
    assert refusal.status_code == 422
    assert "“长”, which city 2 has, cannot be written in Big5." in refusal.json["error"]
    found = viewer.get(f"{url}&q=深圳")
    assert found.status_code == 200
    assert "深圳市,5" in found.get_data().decode("big5")


@pytest.mark.parametrize(
    ("name", "character"), [("big5", "埗"), ("big5", "Ж"), ("big5", "é"), ("euc-kr", "长")]
)
def test_what_excel_would_read_as_other_characters_is_refused(app, as_role, name, character):
    with app.app_context():
        add_cities(("香港", f"水{character}", 5))
    response = as_role("viewer").get(f"/cities/export.csv?encoding={name}")
    assert response.status_code == 422
    assert f"“{character}” in 水{character} cannot" in Page(response).text("main")


def test_an_unknown_encoding_is_refused(as_role):
    response = as_role("viewer").get("/cities/export.csv?encoding=cp1252")
    assert response.status_code == 422
    assert "UTF-8, UTF-16, GB18030, Big5, EUC-KR" in Page(response).text("main")


def test_names_of_encodings_are_those_of_imports():
    assert [read_encoding(name).name for name in ENCODINGS] == [
        "UTF-8", "UTF-16", "GB18030", "Big5", "EUC-KR",
    ]  # fmt: skip
