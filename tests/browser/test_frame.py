"""The frame of all pages: no click is lost, buttons show that they work, columns stay in place."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_every_page import PHONE
from tests.site import Site

CLICKS = 24
COLUMNS = """() => [...document.querySelectorAll('main thead th')].map(
  head => Math.round(head.getBoundingClientRect().left))"""
LINKS = """() => [...document.querySelectorAll('.nav-links a')].map(
  link => [link.href, link.getBoundingClientRect().left])"""
ROWS = """() => [...document.querySelectorAll('main tbody tr')].map(
  row => [row.getBoundingClientRect().top, row.getBoundingClientRect().height])"""


@pytest.fixture
def page(open_as: OpenAs) -> Page:
    return open_as("editor").new_page()


def test_no_click_is_lost_right_after_a_page_has_loaded(open_as: OpenAs) -> None:
    """With motion allowed: a transition between pages would swallow clicks."""
    page = open_as("editor", reduced_motion="no-preference").new_page()
    page.goto("/cities")
    links = page.evaluate(LINKS)
    assert len(links) > 3
    for number in range(CLICKS):
        url, left = links[(number + 1) % len(links)]
        page.wait_for_timeout(150 * number / CLICKS)
        page.mouse.click(left + 8, 28)
        page.wait_for_url(url, wait_until="load")
        assert page.evaluate(LINKS) == links, "an entry of the bar has moved"


# The page stays, because Playwright waits while another is loading; `sent` counts the forms that
# would have been sent.
STAY = """() => {
  window.sent = 0;
  window.addEventListener('submit', event => {
    window.sent += event.defaultPrevented ? 0 : 1;
    event.preventDefault();
  });
}"""
SHOWN_AGAIN = "() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"


def test_a_pressed_button_shows_that_it_works_and_sends_once(page: Page) -> None:
    page.goto("/cities/new")
    page.evaluate(STAY)
    button = page.locator("main .btn-primary")
    box = button.bounding_box()
    assert box
    for again, end in enumerate(
        (lambda: page.keyboard.press("Escape"), lambda: page.evaluate(SHOWN_AGAIN))
    ):
        button.click()
        expect(button).to_have_attribute("aria-busy", "true")
        assert button.bounding_box() == box
        expect(page.get_by_role("status").filter(has_text="Working…")).to_be_attached()
        button.click()
        page.locator("#city").press("Enter")
        expect(page.locator(".busy.moving")).to_be_attached()
        assert page.evaluate("sent") == again + 1
        end()
        expect(button).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(".busy.moving")).to_have_count(0)


def test_a_quick_answer_shows_nothing_and_back_leads_to_a_form_that_can_be_sent(page: Page) -> None:
    page.goto("/cities/new")
    for _time in range(2):
        page.locator("main .btn-primary").click()
        expect(page.locator(".error-summary")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        page.go_back()
        expect(page.locator(".error-summary")).to_have_count(0)


def test_columns_stay_where_they_are_in_every_order_and_search(page: Page) -> None:
    page.goto("/cities")
    columns = page.evaluate(COLUMNS)
    assert len(columns) == 5
    for query in ("sort=city", "sort=users&order=asc", "q=州", "province=广东", "flawed=1"):
        page.goto(f"/cities?{query}")
        assert page.evaluate(COLUMNS) == columns, query


@pytest.mark.parametrize("path", ["/cities", "/people"])
def test_rows_of_a_list_are_two_lines_on_a_phone(open_as: OpenAs, path: str) -> None:
    page = open_as("admin", **PHONE).new_page()
    page.goto(path)
    rows = page.evaluate(ROWS)
    assert rows[0][0] < 335
    assert max(height for _top, height in rows) < 68


@pytest.mark.parametrize("path", ["/cities", "/files", "/people"])
def test_the_links_that_sort_a_list_are_one_line_on_a_phone(open_as: OpenAs, path: str) -> None:
    page = open_as("admin", viewport={"width": 360, "height": 800}).new_page()
    page.goto(path)
    middles = (
        "all => all.map(one => one.getBoundingClientRect()).map(box => box.y + box.height / 2)"
    )
    found = page.locator(".cards thead :is(a, input)").evaluate_all(middles)
    assert len(found) == (5 if path == "/files" else 4)
    assert max(found) - min(found) < 4


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_filters_and_times_of_the_history_are_whole_on_a_phone(
    open_as: OpenAs, locale: str
) -> None:
    page = open_as("admin", locale=locale, **PHONE).new_page()
    page.goto("/history")
    widths = "selects => selects.map(select => select.offsetWidth)"
    person, kind = page.locator(".filters select").evaluate_all(widths)
    assert min(person, kind) > 300
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).length"
    times = page.locator(".history .when")
    assert times.count() > 0
    assert times.evaluate_all(cut) == 0


def test_a_select_filters_at_once_but_not_while_keys_pass_over_it(page: Page) -> None:
    page.goto("/cities")
    select = page.get_by_label("Province", exact=True)
    select.select_option("广东")
    expect(page).to_have_url(re.compile("province="))
    expect(page.get_by_role("link", name="深圳市", exact=True)).to_be_visible()
    before = page.url
    select.focus()
    page.keyboard.press("ArrowDown")
    assert page.url == before
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(before)


def test_without_javascript_a_phone_has_a_button_to_search(open_as: OpenAs) -> None:
    page = open_as("viewer", java_script_enabled=False, **PHONE).new_page()
    page.goto("/cities")
    expect(page.locator("[data-keys-open]")).to_be_hidden()
    page.get_by_label("Province", exact=True).select_option("广东")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="深圳市", exact=True)).to_be_visible()


def test_the_bar_is_the_same_for_a_visitor_who_signs_in(site: Site, open_as: OpenAs) -> None:
    page = open_as(None).new_page()
    page.goto("/login")
    first = page.locator(".bar-end").get_by_role("button").first
    expect(first).to_have_text("中文")
