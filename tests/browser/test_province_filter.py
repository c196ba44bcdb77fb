"""The filter by province in a register of 4,000 provinces."""

import re
from collections.abc import Iterator
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import servers
from tests.browser.conftest import open_window
from tests.browser.site import running_site
from tests.browser.test_every_page import DESK, PHONE, violations
from tests.conftest import need
from tests.site import Site

COUNTRIES = ("China", "Germany", "Indochina", "Türkiye")
CITIES = [
    (f"{country} {number}", f"{country} city {number}")
    for country in COUNTRIES
    for number in range(1000)
]


@pytest.fixture(scope="module")
def large_site() -> Iterator[Site]:
    need(servers.REDIS, "redis-server or valkey-server")
    with running_site(CITIES) as site:
        yield site


def open_list(chromium: Browser, site: Site, **options: object) -> Iterator[Page]:
    context = open_window(chromium, site, "viewer", **options)
    page = context.new_page()
    page.goto("/cities")
    yield page
    context.close()


@pytest.fixture
def page(chromium: Browser, large_site: Site) -> Iterator[Page]:
    yield from open_list(chromium, large_site, **DESK)


def test_a_province_is_chosen_with_the_keyboard_by_any_part_of_its_name(page: Page) -> None:
    field = page.get_by_role("combobox", name="Province")
    field.focus()
    page.keyboard.type("HINA 30")
    options = page.get_by_role("option")
    expect(options.first).to_have_text("China 30")
    expect(options).to_have_count(20)
    assert field.get_attribute("aria-expanded") == "true"
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(active).to_have_attribute("aria-selected", "true")
    name = active.inner_text()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"province={re.escape(quote_plus(name))}"))
    expect(page.locator("td.main")).to_have_count(1)


def test_escape_closes_the_list_and_a_click_chooses(page: Page) -> None:
    field = page.get_by_role("combobox", name="Province")
    field.click()
    expect(page.get_by_role("option")).to_have_count(20)
    page.keyboard.type("turkiye 7")
    expect(page.get_by_role("option").first).to_have_text("Türkiye 7")
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(field).to_have_value("turkiye 7")
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="Türkiye 70", exact=True).click()
    expect(page.get_by_role("link", name="Türkiye city 70")).to_be_visible()


def test_on_a_phone_the_search_field_is_as_wide_as_the_page(
    chromium: Browser, large_site: Site
) -> None:
    for page in open_list(chromium, large_site, **PHONE):
        box = page.get_by_role("searchbox").bounding_box()
        row = page.locator("tbody tr").first.bounding_box()
        assert box
        assert row
        assert box["width"] > 340
        assert row["y"] < 335


def test_without_javascript_it_is_a_text_field_with_choices(
    chromium: Browser, large_site: Site
) -> None:
    for page in open_list(chromium, large_site, java_script_enabled=False):
        page.get_by_label("Province", exact=True).fill("china 30")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("link", name="China city 30")).to_be_visible()
        page.get_by_label("Province", exact=True).fill("germany")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Germany 1", exact=True).click()
        expect(page.get_by_role("link", name="Germany city 1")).to_be_visible()
