"""The page on which a person chooses how a file is read."""

import pytest
from sqlalchemy import select

from app.auth.models import Person
from app.cities.importing import pages, services
from app.cities.importing.models import CityImport
from app.cities.importing.reading import samples
from app.cities.importing.reading.choices import Reading
from app.cities.importing.reading.tables import suggest
from app.cities.importing.storage import SentFile
from app.config import LANGUAGES
from app.database.engine import db
from app.errors import Invalid, NotFound
from app.jobs.services import retry_job
from app.jobs.waiting import read_end
from app.redis.ids import next_id
from tests.cities.importing.staging import (
    HEADER,
    MIXED,
    choose,
    confirm,
    editor,
    kinds,
    outcomes,
    register,
    send,
    stage,
)
from tests.factories import HTML, do_imports
from tests.html import Page
from tests.workbooks.books import HEADER as TITLES
from tests.workbooks.books import book

CHINESE = "省份,城市,用户数\n广东,深圳市,5\n广东,广州市,7\n"
PLACES = {"province": 0, "city": 1, "users": 2}


def store(person, data):
    """Send a file that is not certain; returns the id of its import."""
    file = SentFile(len(data))
    file.write(data)
    return services.send_file(editor(person), "cities.csv", file)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_does_not_say_its_encoding_is_shown_first(as_role, language):
    visitor = as_role("editor")
    visitor.client.set_cookie("gz_language", language)
    response = send(visitor, CHINESE.encode("gb18030"))
    assert response.status_code == 303
    page_address = visitor.get(response.location).location
    assert page_address == f"{response.location}/reading"
    page = Page(visitor.get(page_address))
    assert (
        page.text("h1")
        == {"en": "How is this file to be read?", "zh": "如何读取此文件？"}[language]
    )
    shown = dict(zip(page.texts(".choice h3"), page.texts(".choice .lines-shown"), strict=True))
    assert "2 广东,深圳市,5" in shown["GB18030"]
    assert page.text(".choice.chosen h3") == "GB18030"
    refused = {"en": "Lines 1, 2, 3 are not text in it", "zh": "第 1、2、3 行不是该编码的文本"}
    assert refused[language] in page.text(".choice:has(a[href*='utf-8'])")
    done = choose(visitor, page_address)
    assert (done.status_code, done.location) == (303, response.location)
    preview = Page(visitor.get(response.location))
    assert preview.texts(".counts .figure") == ["2", "0", "0", "0"]
    assert preview.links("p.small a") == [page_address]


def test_another_encoding_is_shown_by_a_link_and_remembered(app, as_role):
    visitor = as_role("editor")
    data = "province,city,number\nРоссия,Москва,1\n".encode("cp1251")
    address = f"{send(visitor, data).location}/reading"
    [link] = [each for each in Page(visitor.get(address)).links(".choice a") if "cp1252" in each]
    with app.app_context():
        assert db.session.scalar(select(CityImport.reading))["codec"] != "cp1252"
    assert choose(visitor, link).status_code == 303
    with app.app_context():
        assert db.session.scalar(select(CityImport.reading))["codec"] == "cp1252"
        assert db.session.scalar(select(Person.file_codec)) == "cp1252"
    again = f"{send(visitor, data + 'Тула,Тула,2'.encode('cp1251')).location}/reading"
    assert Page(visitor.get(again)).text(".choice.chosen h3") == "Windows-1252"


def test_columns_without_known_names_are_chosen(as_role):
    visitor = as_role("editor")
    data = "# 1\nBundesland;Ort;Leute;x\nBayern;Ulm;5;a\nBayern;Hof;7\n"
    address = f"{send(visitor, data).location}/reading"
    page = Page(visitor.get(address))
    assert not page.has(".choices-shown .btn[href*='cp1251'].chosen")
    assert page.texts("td.sub")[1].startswith("(empty) · Ort · Ulm")
    chosen = {"columns-0": "province", "columns-1": "city", "columns-2": "users", "first": "3"}
    assert choose(visitor, address, **chosen).status_code == 303
    preview = Page(visitor.get(address.removesuffix("/reading")))
    assert preview.texts("#new tbody .main") == ["Ulm", "Hof"]
    assert "Ignored columns: x." in preview.texts("p.quiet")
    again = Page(visitor.get(address))
    assert again.one("#first")["value"] == "3"
    assert again.one("select[name=columns-1] option[selected]")["value"] == "city"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns-1": ""}, "Choose the columns for: City."),
        ({"columns-1": "province"}, "Two columns are chosen for: Province. Choose one."),
        ({"columns-1": "else"}, "Not a valid choice."),
        ({"first": "0"}, "The number of a line, from 1 on."),
        ({"first": "x"}, "Not a valid integer value."),
        ({"first": "99"}, "There is nothing below"),
        ({"codec": "punycode"}, "This page was changed."),
        ({"separator": "x"}, "This page was changed."),
    ],
)
def test_a_refused_choice_shows_what_was_chosen(as_role, changed, message):
    visitor = as_role("editor")
    address = f"{send(visitor, CHINESE.encode('gb18030')).location}/reading"
    response = choose(visitor, address, **{"columns-2": "", **changed})
    assert response.status_code == 422
    page = Page(response)
    assert message in page.text(".error-summary")
    assert not page.has("select[name=columns-2] option[selected]:not([value=''])")
    assert visitor.get(address.removesuffix("/reading")).location == address


def test_a_file_that_was_previewed_is_read_in_another_way(person):
    import_id = stage(person, "广东,深圳市,5\n")
    before = db.session.get_one(CityImport, import_id).preview
    reading = Reading("utf-8", ",", None, 2, {"province": 1, "city": 0})
    services.read_again(editor(person), import_id, reading)
    db.session.expire_all()
    found = db.session.get_one(CityImport, import_id)
    assert found.preview > before
    assert (found.fields, found.ignored) == (["province", "city"], "usernumber")
    services.read_again(editor(person), import_id, Reading("utf-8", ",", None, 2, PLACES))
    assert db.session.get_one(CityImport, import_id).reading["columns"] is None
    assert confirm(import_id, person) == (1, 0)
    with pytest.raises(NotFound):
        services.read_again(editor(person), import_id, reading)
    assert register() == [("广东", "深圳市", 5)]


def test_a_choice_that_cannot_be_read_leaves_the_preview(person):
    import_id = stage(person, "广东,深圳市,5\n")
    with pytest.raises(Invalid):
        services.read_again(editor(person), import_id, Reading("utf-8", ",", None, 9, PLACES))
    assert kinds(import_id) == ["new"]


def test_lines_that_are_not_text_in_the_encoding_are_refused(person):
    data = HEADER.encode() + b"a,b,1\nc,\xff,2\nd,e,3,\n" + "f,é,4\n".encode()
    import_id = store(person, data)
    services.read_again(editor(person), import_id, Reading("utf-8", ",", None, 2, PLACES))
    found = outcomes(import_id)
    assert [row[:3] for row in found] == [
        (2, "new", ""), (3, "refused", "city"), (4, "new", ""), (5, "new", ""),
    ]  # fmt: skip
    assert "is not text in the encoding of the file" in found[1][3]


def test_a_byte_order_mark_is_certain_also_with_lines_that_are_not_text(person):
    import_id = stage(person, "a,b,1\n", "\ufeff" + HEADER)
    data = b"\xef\xbb\xbf" + HEADER.encode() + b"a,b,1\nc,\xff,2\n"
    other = store(person, data)
    assert kinds(import_id) == ["new"]
    assert kinds(other) == ["new", "refused"]


def test_a_second_window_ends_the_staging_of_the_first(person):
    import_id = stage(person, "a,b,1\n")
    reading = Reading("utf-8", ",", None, 2, PLACES)
    first, second = next_id(), next_id()
    services.begin_again(editor(person), import_id, reading._replace(first=1), first)
    services.begin_again(editor(person), import_id, reading, second)
    do_imports()
    assert read_end(first).state == "cancelled"
    assert kinds(import_id) == ["new"]
    again = retry_job(editor(person), first)
    do_imports()
    assert (read_end(again).state, kinds(import_id)) == ("done", ["new"])


def test_sheets_are_chosen(as_role):
    visitor = as_role("editor")
    rows = [[TITLES, ["a", name, 1]] for name in "bc"]
    address = f"{send(visitor, book(*rows), 'cities.xlsx').location}/reading"
    page = Page(visitor.get(address))
    assert page.texts(".choice h3") == ["A", "B"]
    [link] = page.links(".choice a")
    assert choose(visitor, link).status_code == 303
    preview = Page(visitor.get(address.removesuffix("/reading")))
    assert "Read from the sheet “B”" in preview.texts("p.quiet")[0]
    assert preview.texts("#new tbody .main") == ["c"]


def test_columns_of_a_sheet_are_chosen(person):
    import_id = store(person, book([["x"], ["Land", "Ort", "n"], ["a", "b", 1]]))
    reading = Reading(sheet=0, first=3, columns=PLACES)
    services.read_again(editor(person), import_id, reading)
    assert kinds(import_id) == ["new"]
    assert db.session.get_one(CityImport, import_id).source["sheet"] == "A"


def test_an_import_that_waits_for_its_choice_is_listed_and_cancelled(as_role):
    visitor = as_role("editor")
    address = f"{send(visitor, CHINESE.encode('gb18030')).location}/reading"
    listed = Page(visitor.get("/cities/import"))
    assert listed.links("#waiting td a") == [address]
    visitor.submit(address.replace("reading", "cancel"), page=address)
    assert not Page(visitor.get("/cities/import")).has("#waiting")


def test_only_its_person_and_administrators_choose(app, as_role):
    address = f"{send(as_role('editor'), CHINESE.encode('gb18030')).location}/reading"
    assert as_role("viewer").get(address).status_code == 403
    assert as_role("admin").get(address).status_code == 200
    assert as_role("editor").client.post(address, headers=HTML).status_code == 400


def test_a_confirmed_import_has_no_page(person):
    import_id = stage(person, "a,b,1\n")
    confirm(import_id, person)
    with pytest.raises(NotFound):
        pages.show_reading(editor(person), import_id, {})


def test_lines_that_do_not_fit_are_counted_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MOST_FAULTS", 30)
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER.encode() + b"a,\xff,1\n" * 50)
    utf_8 = next(one for one in samples.sample_encodings(path) if one.encoding.name == "UTF-8")
    assert utf_8.faults == list(range(2, 22))
    assert utf_8.fault_count == 30


def test_a_clear_file_needs_no_choice(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(MIXED.encode())
    assert suggest(path, "gb18030") == (Reading("utf-8"), True)
