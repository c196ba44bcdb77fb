"""The pages that bring in a file."""

import csv
import io
import re

import pytest
from sqlalchemy import insert, select, update

from app.cities.models import City
from app.cities.rules import keys
from app.database.engine import db
from tests.cities.importing.staging import HEADER, MIXED, send
from tests.factories import HTML, Browser, add_person
from tests.html import Page


@pytest.fixture
def filled(app):
    """Two cities in the register."""
    rows = [("广东", "深圳市", 5), ("广东", "广州市", 7)]
    with app.app_context():
        db.session.execute(
            insert(City),
            [{"provincename": p, "cityname": c, "usernumber": n, **keys(p, c)} for p, c, n in rows],
        )
        db.session.commit()


def numbers(app):
    """The number of users by city."""
    with app.app_context():
        return dict(db.session.execute(select(City.cityname, City.usernumber)).all())


def confirm(browser, address):
    """Press the button of the preview."""
    return browser.submit(
        f"{address}/confirm", {"preview": preview_number(browser, address)}, page=address
    )


def preview_number(browser, address):
    """The number that the preview's button carries."""
    return re.search(r'name="preview" value="(\d+)"', browser.get(address).text)[1]


def stranger(app):
    """Another editor."""
    with app.app_context():
        add_person("stranger", "editor")
    browser = Browser(app)
    browser.sign_in("stranger")
    return browser


def test_a_file_is_shown_then_confirmed(app, as_role, filled):
    editor = as_role("editor")
    answer = send(editor, MIXED)
    assert answer.status_code == 303
    page = editor.get(answer.location).text
    for part in ("new", "changed", "same", "refused"):
        assert re.search(rf'<a href="#{part}"><b class="figure">1</b>', page)
    assert '<del class="was">5</del> <ins class="now">6</ins>' in page
    assert "&lt;b&gt;佛山&lt;/b&gt;" in page
    assert "<b>佛山" not in page
    assert "Import 2 cities" in page
    assert numbers(app) == {"深圳市": 5, "广州市": 7}

    done = confirm(editor, answer.location)
    assert (done.status_code, done.location) == (303, "/cities")
    assert numbers(app) == {"深圳市": 6, "广州市": 7, "<b>佛山</b>": 8}
    assert "Imported: 1 new, 1 changed." in editor.get("/cities").text
    assert editor.get(answer.location).location == "/cities"


def test_refused_lines_can_be_downloaded_corrected_and_imported(as_role, filled):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    answer = editor.get(f"{address}/refused.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="refused.csv"'
    lines = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert lines[0] == ["line", "field", "reason", "provincename", "cityname", "usernumber"]
    assert lines[1][:2] == ["5", "province,users"]
    assert lines[1][3:] == ["", "x", "'=1"]
    corrected = answer.get_data().replace(b",,x,'=1", b",p,x,1")
    page = editor.get(send(editor, corrected).location).text
    assert "Import 1 city" in page
    assert "line, field, reason" in page  # the ignored columns


def test_an_empty_field_of_a_refused_line_is_seen(as_role, filled):
    editor = as_role("editor")
    address = send(editor, f"{HEADER},无名,12\n广东, ,\n").location
    page = editor.get(address).text
    assert '<td class="sub quiet">— · 无名 · 12</td>' in page
    assert '<td class="sub quiet">广东 · — · —</td>' in page
    assert "City · Users" in page
    address = send(editor, "province,city\n,无名\n").location
    assert '<td class="sub quiet">— · 无名</td>' in editor.get(address).text


def test_reasons_are_read_in_the_language_of_the_reader(as_role, filled):
    editor = as_role("editor")
    address = send(editor, MIXED + "广东,深圳市,6\n").location
    english, chinese = "Province is empty.", "请填写省份名称。"
    assert english in editor.get(address).text
    editor.submit("/preferences", {"language": "zh", "next": "/cities"}, page="/cities")
    for path in (address, f"{address}/refused", f"{address}/refused.csv"):
        text = editor.get(path).get_data(as_text=True)
        assert chinese in text
        assert "2,147,483,647" in text
        assert english not in text


def test_each_kind_has_pages_of_its_own(as_role):
    editor = as_role("editor")
    address = send(editor, HEADER + "".join(f"a,b{i},{i}\n" for i in range(250))).location
    preview = editor.get(address).text
    assert preview.count('<td class="main">') == 20
    assert f'href="{address}/new"' in preview
    last = editor.get(f"{address}/new?page=3").text
    assert last.count('<td class="main">') == 50
    assert "Page 3 of 3" in last
    assert "b249" in last
    assert "Page 3 of 3" in editor.get(f"{address}/new?page=99").text
    assert "Page 1 of 3" in editor.get(f"{address}/new?page=x").text
    assert "No lines of this kind" in editor.get(f"{address}/same").text
    assert editor.get(f"{address}/else").status_code == 404


def test_a_file_that_would_change_nothing_has_nothing_to_confirm(as_role, filled):
    editor = as_role("editor")
    page = editor.get(send(editor, HEADER + "广东,广州市,7\n").location).text
    assert "Nothing in this file would change the register." in page
    assert "/confirm" not in page


def test_missing_numbers_and_other_columns_are_mentioned(as_role, filled):
    editor = as_role("editor")
    page = editor.get(send(editor, "province,city,<i>\n广东,广州市,7\n").location).text
    assert "The file has no column “Users”" in page
    assert "Ignored columns: &lt;i&gt;." in page


def test_row_edited_after_the_preview_renews_it(app, as_role, filled):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    shown = preview_number(editor, address)
    with app.app_context():
        db.session.execute(update(City).values(usernumber=99, version=City.version + 1))
        db.session.commit()
    answer = editor.submit(f"{address}/confirm", {"preview": shown}, page=address)
    assert (answer.status_code, answer.location) == (303, address)
    page = editor.get(address).text
    assert "The register changed since the preview was made" in page
    assert '<del class="was">99</del> <ins class="now">6</ins>' in page
    assert numbers(app) == {"深圳市": 99, "广州市": 99}
    assert confirm(editor, address).location == "/cities"
    assert numbers(app) == {"深圳市": 6, "广州市": 7, "<b>佛山</b>": 8}


@pytest.mark.parametrize("preview", ["", "0", "x", "7", "٣"])
def test_a_confirmation_without_the_number_of_its_preview_applies_nothing(app, as_role, preview):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    answer = editor.submit(f"{address}/confirm", {"preview": preview}, page=address)
    assert answer.location == address
    assert numbers(app) == {}


def test_sent_twice_the_confirmation_applies_once(app, as_role):
    editor = as_role("editor")
    address = send(editor, HEADER + "a,b,1\n").location
    shown = preview_number(editor, address)
    for _twice in range(2):
        answer = editor.submit(f"{address}/confirm", {"preview": shown}, page="/cities/import")
        assert answer.location == "/cities"
    assert numbers(app) == {"b": 1}


def test_cancelled_import_is_deleted(app, as_role):
    editor = as_role("editor")
    address = send(editor, MIXED, "mine.csv").location
    assert "mine.csv" in editor.get("/cities/import").text
    assert editor.submit(f"{address}/cancel", page=address).location == "/cities/import"
    assert editor.get(address).status_code == 404
    assert "mine.csv" not in editor.get("/cities/import").text
    assert numbers(app) == {}


def test_the_name_of_the_file_is_shown_without_folders(as_role):
    editor = as_role("editor")
    page = editor.get(send(editor, MIXED, "C:\\data\\<x>\u202e城市.csv").location).text
    assert "&lt;x&gt;城市.csv" in page
    assert "data\\" not in page


PAGES = ["", "/new", "/refused.csv"]
POSTS = ["/confirm", "/cancel"]


def test_a_stranger_finds_nothing_and_an_administrator_does(app, as_role):
    address = send(as_role("editor"), MIXED).location
    other = stranger(app)
    assert [other.get(address + page).status_code for page in PAGES] == [404] * 3
    for path in POSTS:
        assert other.submit(address + path, page="/cities/import").status_code == 404
    assert "cities.csv" not in other.get("/cities/import").text
    admin = as_role("admin")
    assert [admin.get(address + page).status_code for page in PAGES] == [200] * 3


def test_viewers_may_not_and_nobody_is_asked_to_sign_in(as_role, browser):
    address = send(as_role("editor"), MIXED).location
    viewer = as_role("viewer")
    for path in ["/cities/import", *[address + page for page in PAGES]]:
        assert viewer.get(path).status_code == 403
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/login?")
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


def test_in_chinese_the_pages_answer_too(as_role):
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", "zh")
    address = send(editor, MIXED).location
    assert editor.get(address).status_code == 200
    assert editor.get("/cities/import").status_code == 200


def test_imports_that_wait_are_told_apart_by_time_and_lines(app, as_role, filled):
    editor = as_role("editor")
    send(editor, MIXED)
    send(editor, f"{HEADER}广东,深圳市,6\n")
    page = Page(editor.get("/cities/import"))
    assert page.texts("thead th") == ["File", "Lines", "Uploaded"]
    assert [text.split()[0] for text in page.texts("td.n")] == ["1", str(MIXED.count("\n") - 1)]
    assert re.match(r"\w{3} \d+, \d{4}, ", page.texts("td.when")[0])


@pytest.mark.parametrize("kind", ["new", "changed", "same", "refused"])
def test_number_of_the_line_is_the_first_column(as_role, filled, kind):
    editor = as_role("editor")
    address = send(editor, MIXED).location
    page = Page(editor.get(f"{address}/{kind}"))
    assert page.texts("thead th")[0] == "Line"
    assert re.fullmatch(r"\d+ Line \d+", page.texts("tbody tr:first-child td:first-child")[0])
