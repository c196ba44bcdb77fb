"""The pages of an import."""

import csv
import io
import re

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app.cities.importing.reading.header import SEPARATORS
from app.cities.importing.services import display_name
from app.cities.models import City
from app.config import LANGUAGES
from app.database.engine import db
from tests.cities.importing.staging import HEADER, MIXED, choose, send
from tests.factories import HTML, Browser, add_person
from tests.html import Page


@pytest.fixture
def filled(cities):
    """Two cities in the register."""
    cities(("广东", "深圳市", 5), ("广东", "广州市", 7))


def numbers(app):
    """The number of users by city."""
    with app.app_context():
        return dict(db.session.execute(select(City.cityname, City.usernumber)).all())


CONFIRM, COUNTS, REFUSED = "form[action*='/confirm?'] button", ".counts a", "#refused tbody tr"


def open_page(browser, address):
    """A page, to read."""
    return Page(browser.get(address))


def preview_number(browser, address):
    """The number that the form of the preview sends."""
    return open_page(browser, address).one("input[name=preview]")["value"]


def confirm(browser, address):
    """Press the button of the preview."""
    number = preview_number(browser, address)
    return browser.submit(f"{address}/confirm", {"preview": number}, page=address)


def stranger(app):
    """Another editor."""
    with app.app_context():
        add_person("stranger", "editor")
    browser = Browser(app)
    browser.sign_in("stranger")
    return browser


def test_a_file_is_shown_then_confirmed(app, as_role, filled):
    editor = as_role("editor")
    response = send(editor, MIXED)
    assert response.status_code == 303
    page = open_page(editor, response.location)
    assert page.texts(COUNTS) == ["1 new", "1 changed", "1 unchanged", "1 refused"]
    assert page.links(COUNTS) == ["#new", "#changed", "#same", "#refused"]
    assert page.text("#changed tbody .n") == "5 6"
    assert page.text("#new tbody .main") == "<b>佛山</b>"
    assert page.text(CONFIRM) == "Import 2 cities"
    assert numbers(app) == {"深圳市": 5, "广州市": 7}

    done = confirm(editor, response.location)
    assert (done.status_code, done.location) == (303, response.location)
    assert numbers(app) == {"深圳市": 6, "广州市": 7, "<b>佛山</b>": 8}
    assert "Imported: 1 new, 1 changed." in open_page(editor, response.location).text()


def test_refused_lines_can_be_downloaded_corrected_and_imported(as_role, filled):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    response = editor.get(f"{address}/refused.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="refused.csv"'
    lines = list(csv.reader(io.StringIO(response.get_data().decode("utf-8-sig"))))
    assert lines[0] == ["line", "field", "reason", "provincename", "cityname", "usernumber"]
    assert lines[1][:2] == ["5", "province,users"]
    assert lines[1][3:] == ["", "x", "'=1"]
    corrected = response.get_data().replace(b",,x,'=1", b",p,x,1")
    page = open_page(editor, send(editor, corrected).location)
    assert page.text(CONFIRM) == "Import 1 city"
    assert "Ignored columns: line, field, reason." in page.texts("p.quiet")


def test_an_empty_field_of_a_refused_line_is_seen(as_role, filled):
    editor = as_role("editor")
    address = send(editor, f"{HEADER},无名,12\n广东, ,\n").location
    page = open_page(editor, address)
    assert page.texts(f"{REFUSED} .sub") == ["(empty) · 无名 · 12", "广东 · (empty) · (empty)"]
    assert page.texts(f"{REFUSED} .when") == ["Province", "City · Users"]
    address = send(editor, "province,city\n,无名\n").location
    assert open_page(editor, address).text(f"{REFUSED} .sub") == "(empty) · 无名"


def test_reasons_are_read_in_the_language_of_the_reader(as_role, filled):
    editor = as_role("editor")
    address = send(editor, MIXED + "广东,深圳市,6\n").location
    english, chinese = "Province is empty.", "请填写省份名称。"
    assert english in open_page(editor, address).text(f"{REFUSED} .main")
    editor.submit("/preferences", {"language": "zh", "next": "/cities"}, page="/cities")
    for path in (address, f"{address}/refused", f"{address}/refused.csv"):
        text = editor.get(path).get_data(as_text=True)
        assert chinese in text
        assert "2,147,483,647" in text
        assert english not in text


def test_each_kind_has_pages_of_its_own(as_role):
    editor = as_role("editor")
    address = send(editor, HEADER + "".join(f"a,b{i},{i}\n" for i in range(250))).location
    editor.submit("/preferences", {"rows": "100"}, page="/account")
    page = open_page(editor, address)
    assert len(page.all("#new tbody tr")) == 20
    assert page.links("#new .sheet-foot a") == [f"{address}/new"]
    for sought in ("", "?page=x", "?page=2"):
        part = open_page(editor, f"{address}/new{sought}")
        assert part.text(".pager > .figure") == "1–100 of 250"
    for numbers in (range(100, 200), range(200, 250)):
        part = open_page(editor, part.one(".pager [rel=next]")["href"])
        assert part.texts("tbody .main") == [f"b{number}" for number in numbers]
    assert part.text(".pager > .figure") == "201–250 of 250"
    part = open_page(editor, part.one(".pager [rel=prev]")["href"])
    assert part.text(".pager > .figure") == "101–200 of 250"
    last = open_page(editor, part.links(".pager a")[-1])
    assert last.texts("tbody .main") == [f"b{number}" for number in range(150, 250)]
    assert open_page(editor, f"{address}/same").text(".empty p") == "No lines of this kind."
    assert editor.get(f"{address}/else").status_code == 404


def test_a_file_that_would_change_nothing_has_nothing_to_confirm(as_role, filled):
    editor = as_role("editor")
    page = open_page(editor, send(editor, HEADER + "广东,广州市,7\n").location)
    assert "Nothing in this file would change the register." in page.text()
    assert not page.has(CONFIRM)


def test_missing_numbers_and_other_columns_are_mentioned(as_role, filled):
    editor = as_role("editor")
    page = open_page(editor, send(editor, "province,city,<i>\n广东,广州市,7\n").location)
    assert page.texts("p.quiet")[1:3] == [
        "Ignored columns: <i>.",
        "The file has no column “Users”: it stays as it is in the register.",
    ]


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "Read as GB18030; the columns are separated by semicolons.",
                "Skipped above the header: line 1 (sep=;), line 2 (城市登记表)",
            ],
        ),
        (
            "zh",
            [
                "按 GB18030 编码读取，各列以分号分隔。",
                "表头上方已跳过：第 1 行（sep=;）、第 2 行（城市登记表）",
            ],
        ),
    ],
)
def test_the_preview_says_how_the_file_was_read(as_role, language, lines):
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", language)
    file = "sep=;\n城市登记表;;\n省份;城市;用户数\n安省;兰市;5\n".encode("gbk")
    address = send(editor, file).location
    choose(editor, f"{address}/reading")
    page = open_page(editor, address)
    assert page.texts("p.quiet")[:2] == lines


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_separator_has_a_name_in_the_preview(app, as_role, language, separator):
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", language)
    file = f"province{separator[0]}city{separator[-1]}\na{separator}b\n"
    with app.test_request_context(), force_locale(language):
        name = f"{SEPARATORS[separator]}."
    line = open_page(editor, send(editor, file).location).texts("p.quiet")[0]
    assert line.endswith((f" {SEPARATORS[separator].text}.", f"以{name.replace('.', '分隔。')}"))


def test_many_skipped_lines_are_counted(as_role):
    editor = as_role("editor")
    file = "".join(f"# {number}\n" for number in range(1, 8)) + f"{HEADER}a,b,1\n"
    page = open_page(editor, send(editor, file).location)
    assert page.texts("p.quiet")[1].endswith("line 5 (# 5), 2 more lines")


@pytest.mark.parametrize("number", ["", "0", "x", "7", "٣"])
def test_a_confirmation_without_the_number_of_its_preview_applies_nothing(app, as_role, number):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    response = editor.submit(f"{address}/confirm", {"preview": number}, page=address)
    assert response.location == address
    assert numbers(app) == {}


def test_sent_twice_the_confirmation_applies_once(app, as_role):
    editor = as_role("editor")
    address = send(editor, HEADER + "a,b,1\n").location
    shown = preview_number(editor, address)
    for _twice in range(2):
        response = editor.submit(f"{address}/confirm", {"preview": shown}, page="/cities/import")
        assert response.location == address
    assert numbers(app) == {"b": 1}


def test_cancelled_import_is_deleted(app, as_role):
    editor = as_role("editor")
    address = send(editor, MIXED, "mine.csv").location
    assert open_page(editor, "/cities/import").texts("td.main") == ["mine.csv"]
    assert editor.submit(f"{address}/cancel", page=address).location == "/cities/import"
    assert editor.get(address).status_code == 404
    assert not open_page(editor, "/cities/import").has("table")
    assert numbers(app) == {}


def test_the_name_of_the_file_is_shown_without_folders(as_role):
    editor = as_role("editor")
    page = open_page(editor, send(editor, MIXED, "data/<x>\u202e城市.csv").location)
    assert page.text("h1 + .figure") == "<x>城市.csv"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("C:\\data\\a.csv", "a.csv"), ("a/b\u202e.csv", "b.csv"), ("a/", "cities.csv")],
)
def test_file_names_are_shown_without_folders_and_invisible_characters(sent, shown):
    assert display_name(sent) == shown


PAGES = ["", "/new", "/refused.csv"]
POSTS = ["/confirm", "/stop", "/undo", "/cancel"]


def test_a_stranger_finds_nothing_and_an_administrator_does(app, as_role):
    address = send(as_role("editor"), MIXED).location
    other = stranger(app)
    assert [other.get(address + page).status_code for page in PAGES] == [404] * 3
    for path in POSTS:
        assert other.submit(address + path, page="/cities/import").status_code == 404
    assert not open_page(other, "/cities/import").has("table")
    admin = as_role("admin")
    assert [admin.get(address + page).status_code for page in PAGES] == [200] * 3


def test_viewers_may_not_and_nobody_is_asked_to_sign_in(as_role, browser):
    address = send(as_role("editor"), MIXED).location
    viewer = as_role("viewer")
    for path in ["/cities/import", *[address + page for page in PAGES]]:
        assert viewer.get(path).status_code == 403
        response = browser.get(path)
        assert response.status_code == 303
        assert response.location.startswith("/login?")
    for path in ["/cities/import", *[address + path for path in POSTS]]:
        assert viewer.submit(path, page="/account/password").status_code == 403


def test_writing_needs_a_post_with_a_token(as_role):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    for path in POSTS:
        assert editor.get(address + path).status_code == 405
        assert editor.client.post(address + path, headers=HTML).status_code == 400
    assert editor.client.post("/cities/import", headers=HTML).status_code == 400


@pytest.mark.parametrize(
    "path", ["/cities/import/999", "/cities/import/999/new", f"/cities/import/{10**30}"]
)
def test_missing_import_is_404(as_role, path):
    assert as_role("editor").get(path).status_code == 404


def test_pages_in_chinese(as_role):
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", "zh")
    assert open_page(editor, send(editor, MIXED).location).text("h1") == "导入"
    assert open_page(editor, "/cities/import").text("h1") == "导入城市"


def test_imports_that_wait_are_told_apart_by_time_and_lines(app, as_role, filled):
    editor = as_role("editor")
    send(editor, MIXED)
    send(editor, f"{HEADER}广东,深圳市,6\n")
    page = open_page(editor, "/cities/import")
    assert page.texts("thead th") == ["File", "Lines", "Uploaded"]
    assert [text.split()[0] for text in page.texts("td.n")] == ["1", str(MIXED.count("\n") - 1)]
    assert re.match(r"\w{3} \d+, \d{4}, ", page.texts("td.when")[0])


@pytest.mark.parametrize("kind", ["new", "changed", "same", "refused"])
def test_number_of_the_line_is_the_first_column(as_role, filled, kind):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    page = open_page(editor, f"{address}/{kind}")
    assert page.texts("thead th")[0] == "Line"
    assert re.fullmatch(r"\d+ Line \d+", page.texts("tbody tr:first-child td:first-child")[0])


def test_the_example_of_the_page_can_be_imported(as_role):
    editor = as_role("editor")
    example = open_page(editor, "/cities/import").one("pre code").text
    assert example.startswith(HEADER.strip())
    page = open_page(editor, send(editor, example).location)
    assert page.texts(COUNTS) == ["2 new", "0 changed", "0 unchanged", "0 refused"]


def test_the_latest_imports_say_who_and_how_many(as_role, filled):
    editor = as_role("editor")
    assert "Latest imports" not in Page(editor.get("/cities/import")).texts("h2")
    confirm(editor, send(editor, MIXED).location)
    page = Page(editor.get("/cities/import"))
    assert "Latest imports" in page.texts("h2")
    assert page.text(".feed li").startswith("E You imported")
    # Another editor sees it too, but not the file.
    other = as_role("admin")
    assert "editor imported" in Page(other.get("/cities/import")).text(".feed li")
