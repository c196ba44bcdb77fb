"""The list of cities whose names differ by what nobody sees, or are missing."""

from sqlalchemy import null

from tests.cities.conftest import add_city
from tests.cities.importing.staging import HEADER, send
from tests.html import Page


def names(response):
    """The names that a list shows, in order."""
    return Page(response).texts("td.main > a")


def test_a_province_is_chosen_however_the_address_writes_it(as_role, cities):
    cities(("广东", "深圳市", 9), (" 广东\u200b", "佛山市", 8), ("湖南", "长沙市", 7))
    page = as_role("viewer").get("/cities?province=%E5%B9%BF%E4%B8%9C%20")
    assert names(page) == ["佛山市", "深圳市"]
    assert Page(page).texts("select[name=province] option") == ["All provinces", "广东", "湖南"]
    assert Page(page).text("option[selected]") == "广东"


def test_cities_without_a_province_have_a_list_of_their_own(as_role, cities):
    cities(("广东", "深圳市", 9), (None, "a", 8), ("\u3000\u3164", "b", 7), ("湖南", "c", None))
    page = as_role("viewer").get("/cities?no_province=1")
    assert names(page) == ["b", "a"]
    assert any("No province" in chip for chip in Page(page).texts(".chips a.chip"))
    csv = as_role("viewer").get("/cities/export.csv?no_province=1").text
    assert [line.split(",")[1] for line in csv.splitlines()[1:]] == ["b", "a"]


def test_rows_of_other_programs_may_lack_every_value(as_role, app):
    with app.app_context():
        add_city(None, None, None, changed_at=null())
    page = Page(as_role("viewer").get("/cities"))
    assert page.text("td.main > a") == "City without a name"
    assert page.texts("tbody td")[1:] == ["", "", ""]


def test_names_of_other_programs_do_not_turn_the_page_around(as_role, cities):
    cities(
        ("\u202e广东", "abc\u202egnp.exe", 9), ("湖南", "\u202e", 8), ("省", "x\u202ey", 1)
    )  # fmt: skip
    admin = as_role("admin")
    assert admin.submit("/cities/3/delete", {}, page="/cities/3/delete").status_code == 303
    preview = send(admin, HEADER + "广东,abcgnp.exe,7\n广东,a\u202eb,7\n").location
    pages = ("/cities", "/cities/1", "/cities/1/delete", "/cities/glance", "/history", preview)
    for address in pages:
        page = admin.get(address)
        assert page.status_code == 200
        shown = Page(page)
        for field in shown.all("input"):
            field.remove()  # the form has what is stored, so that it can be mended
        assert "\u202e" not in str(shown), address
    assert names(as_role("viewer").get("/cities")) == ["City without a name", "abcgnp.exe"]
