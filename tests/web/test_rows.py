"""Rows of a page: 50, 100 or 200, chosen in the pager of any list."""

import pytest

from tests.cities.conftest import add_cities
from tests.factories import Browser
from tests.html import Page

COUNT = 230
RANGE, ROWS, CHOICE = ".pager > .figure", ".sheet tbody tr", ".pager-rows [name=rows]"


@pytest.fixture
def many(app):
    with app.app_context():
        add_cities(*(("广东", f"城{n:03}", n) for n in range(COUNT)))


def choose(browser, rows, path="/cities"):
    """Press a button of the pager."""
    page = Page(browser.get(path))
    [button] = [each for each in page.all(CHOICE) if each["value"] == str(rows)]
    form = page.one(f"form#{button['form']}")
    fields = {each["name"]: each["value"] for each in form.select("input")}
    fields[str(button["name"])] = str(button["value"])
    return browser.client.post(str(form["action"]), data=fields, headers={"Accept": "text/html"})


def shown(browser, path="/cities"):
    page = Page(browser.get(path))
    assert len(page.all(ROWS)) == int(page.one(f"{CHOICE}[aria-pressed=true]")["value"])
    return page.text(RANGE)


def test_the_choice_leads_back_to_the_same_list_and_is_remembered(app, as_role, many):
    viewer = as_role("viewer")
    assert shown(viewer) == "1–50 of 230"
    response = choose(viewer, 100, "/cities?sort=users")
    assert (response.status_code, response.location) == (303, "/cities?sort=users")
    assert shown(viewer) == "1–100 of 230"
    other = Browser(app)
    other.begin_session("viewer")
    assert shown(other) == "1–100 of 230"
    # Readers of the same list with other choices do not get each other's.
    editor = as_role("editor")
    assert shown(editor) == "1–50 of 230"
    assert choose(editor, 200).status_code == 303
    assert shown(editor) == "1–200 of 230"
    assert shown(viewer) == "1–100 of 230"


def test_visitors_choose_for_their_browser(make_app, many):
    visitor, other = (Browser(make_app(PUBLIC_READ="1")) for _each in range(2))
    assert choose(visitor, 200).status_code == 303
    assert shown(visitor) == "1–200 of 230"
    assert shown(other) == "1–50 of 230"


@pytest.mark.parametrize("rows", ["", "7", "0", "-50", "1000000", "５０", "x"])
def test_any_other_number_is_ignored(as_role, many, rows):
    viewer = as_role("viewer")
    viewer.submit("/preferences", {"rows": rows, "next": "/cities"}, page="/account")
    viewer.client.set_cookie("gz_rows", rows)
    assert shown(viewer) == "1–50 of 230"


def test_each_row_is_on_one_page_whatever_the_size(as_role, many):
    viewer = as_role("viewer")
    for rows in (50, 100, 200):
        choose(viewer, rows)
        for query in ("", "?sort=city", "?sort=users&order=asc", "?province=广东"):
            page, names, ranges = Page(viewer.get(f"/cities{query}")), [], []
            while True:
                names += page.texts("td.main > a")
                ranges.append(page.text(RANGE))
                following = page.links("[rel=next]")
                if not following:
                    break
                page = Page(viewer.get(following[0]))
            assert len(names) == len(set(names)) == COUNT
            assert ranges[-1] == f"{(COUNT - 1) // rows * rows + 1}–{COUNT} of {COUNT}"


def test_a_larger_page_begins_at_the_row_where_the_smaller_began(as_role, many):
    viewer = as_role("viewer")
    [second] = Page(viewer.get("/cities")).links("[rel=next]")
    assert Page(viewer.get(second)).text(RANGE) == "51–100 of 230"
    first_name = Page(viewer.get(second)).texts("td.main > a")[0]
    response = choose(viewer, 100, second)
    page = Page(viewer.get(response.location))
    assert page.text(RANGE) == "51–150 of 230"
    assert page.texts("td.main > a")[0] == first_name
    [back] = page.links("[rel=prev]")
    assert Page(viewer.get(back)).text(RANGE) == "1–100 of 230"


def test_a_choice_is_not_a_filter(as_role, many):
    viewer = as_role("viewer")
    choose(viewer, 200)
    page = Page(viewer.get("/cities"))
    assert not page.has(".chips")
    assert page.links("[rel=next]")[0].startswith("/cities?page=")


def test_the_choice_can_be_taken_back_where_all_rows_fit(app, as_role):
    with app.app_context():
        add_cities(*(("广东", f"城{n}", n) for n in range(51)))
    viewer = as_role("viewer")
    choose(viewer, 100)
    page = Page(viewer.get("/cities"))
    assert page.text(RANGE) == "1–51 of 51"
    assert page.texts(CHOICE) == ["50", "100", "200"]
    choose(viewer, 50)
    assert Page(viewer.get("/cities")).text(RANGE) == "1–50 of 51"


def test_reading_changes_no_choice(as_role, many):
    viewer = as_role("viewer")
    response = viewer.get("/cities?rows=200")
    assert "Set-Cookie" not in response.headers
    assert shown(viewer) == "1–50 of 230"
