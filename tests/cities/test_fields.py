"""What a page shows of a field, every form and every import reads back."""

import pytest
from flask_babel import force_locale

from app.cities.exporting.csv_writer import HEADER, write_csv
from app.cities.fields import CSV_FIELDS, FIELDS
from app.cities.models import USERS_MOST
from app.config import LANGUAGES
from tests.cities.conftest import value
from tests.cities.importing.staging import read_csv
from tests.html import Page

NUMBERS = [0, 7, 1_234, 17_494_398, 999_999_999, USERS_MOST]
NAMES = [
    "深圳市",
    "'s-Hertogenbosch",
    "“崖市”",
    "＝1+1",
    "a;=1",
    "Que\u0301ven",
    "12,345",
    "=1",
    "省，市",
]
SAMPLES = [(field, one) for field in FIELDS for one in (NUMBERS if field.numeric else NAMES)]


def ids(one):
    """A short name of a parameter."""
    return getattr(one, "name", ascii(one))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("field", "stored"), SAMPLES, ids=ids)
def test_a_field_reads_what_it_shows_and_what_it_writes(app, language, field, stored):
    with app.test_request_context(), force_locale(language):
        same = field.read(str(stored))
        assert field.read(field.show(same)) == field.read(field.write(same)) == same


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("field", "stored"), SAMPLES, ids=ids)
def test_an_import_reads_what_a_page_shows_under_its_label(app, language, field, stored):
    with app.test_request_context(), force_locale(language):
        shown = {one.name: "1" for one in FIELDS} | {field.name: field.show(stored)}
        for header in (HEADER, [str(one.label) for one in CSV_FIELDS]):
            text = write_csv([header, [shown[one.name] for one in CSV_FIELDS]])
            [line] = read_csv(text.encode()).lines
            assert field.read(line.cells[field.name]) == field.read(str(stored))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_form_reads_what_the_list_and_the_form_show(as_role, cities, rows, language, number):
    cities(("广东", "省，市", number))
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", language)
    row = Page(editor.get("/cities"))
    shown = {
        "city": row.text("td.main a"),
        "province": row.text("td.sub"),
        "number": row.text("td.n"),
    }
    form = editor.get("/cities/1")
    assert {name: value(form, name) for name in ("city", "province")} | {
        "number": shown["number"]
    } == shown
    hidden = {name: value(form, name) for name in ("version", "next")}
    assert editor.submit("/cities/1", shown | hidden).status_code == 303
    assert rows() == [(1, "广东", "省，市", number)]
