"""Times in the zone of the browser, and lists that readers share."""

from itertools import product

import pytest

from tests.browser.conftest import OpenAs
from tests.browser.steadiness import OBSERVE, assert_steady


def titles(page, selector):
    """The tooltips of times, with plain spaces."""
    found = page.eval_on_selector_all(selector, "all => all.map(each => each.title)")
    return [text.replace("\u202f", " ") for text in found]


def test_the_list_that_readers_share_is_rewritten_to_the_zone_of_the_browser(open_as: OpenAs):
    window = open_as("viewer", timezone_id="America/New_York")
    page = window.new_page()
    page.add_init_script(OBSERVE)
    page.goto("/cities")
    assert page.get_attribute("html", "data-zone") == "Asia/Shanghai"  # no cookie yet
    [stored] = [each for each in window.cookies() if each["name"] == "gz_zone"]
    assert stored["value"] == "America/New_York"
    first = titles(page, ".sheet time")
    assert len(first) == 50
    assert all("GMT-0" in title and "Eastern" in title for title in first)
    page.reload()
    assert page.get_attribute("html", "data-zone") == "America/New_York"
    assert page.get_attribute(".sheet", "data-zone") == "Asia/Shanghai"
    assert titles(page, ".sheet time") == first
    assert_steady(page)


ZONES = ("America/New_York", "Asia/Kolkata", "UTC")
# `make test` has each language and each zone once or twice, `make soak` all pairs.
IN_TEST = {("en", "America/New_York"), ("zh-CN", "Asia/Kolkata"), ("en", "UTC")}


@pytest.mark.parametrize(
    ("locale", "zone"),
    [
        pytest.param(*pair, marks=[] if pair in IN_TEST else [pytest.mark.soak])
        for pair in product(("en", "zh-CN"), ZONES)
    ],
)
def test_the_script_writes_what_the_server_writes(open_as: OpenAs, locale: str, zone: str):
    page = open_as("editor", timezone_id=zone, locale=locale).new_page()
    page.goto("/cities")
    assert page.get_attribute("html", "lang") == locale
    shared = titles(page, ".sheet time")[0]
    page.goto(page.get_attribute(".sheet td.main a", "href"))
    own = page.eval_on_selector_all("main time", "all => all.map(each => each.innerText)")
    assert shared.split(" (")[0] in [text.replace("\u202f", " ") for text in own]


def test_without_a_script_the_zone_of_the_site_is_named(open_as: OpenAs):
    page = open_as("viewer", timezone_id="America/New_York", java_script_enabled=False).new_page()
    page.goto("/cities")
    title = page.get_attribute(".sheet time", "title")
    assert title.endswith("GMT+08:00 (China Standard Time)")
    page.goto("/account")
    assert page.get_attribute("main time", "title").endswith("(China Standard Time)")


def test_a_chosen_zone_counts_before_that_of_the_browser(open_as: OpenAs):
    window = open_as("viewer", timezone_id="America/New_York")
    page = window.new_page()
    try:
        page.goto("/account")
        page.fill("[name=time_zone]", "Europe/Berlin")
        page.click("#reading button[type=submit]")
        page.goto("/cities")
        assert page.get_attribute("html", "data-zone") == "Europe/Berlin"
        assert all("Central European" in title for title in titles(page, ".sheet time"))
    finally:
        page.goto("/account")
        page.fill("[name=time_zone]", "")
        page.click("#reading button[type=submit]")
        page.wait_for_selector(".notice")


def move_to(open_as: OpenAs, zone: str, role: str = "viewer"):
    """The page of a browser that is in another zone now than its cookie says, and the methods of
    its requests for pages."""
    window = open_as(role, timezone_id=zone)
    url = window.request.get("/healthz").url
    window.add_cookies([{"name": "gz_zone", "value": "UTC", "url": url}])
    page, loaded = window.new_page(), []
    page.on("request", lambda each: each.is_navigation_request() and loaded.append(each.method))
    return page, loaded


def test_the_first_page_in_another_zone_is_right_and_is_loaded_again_once(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati")
    page.goto("/")
    page.wait_for_selector("html[data-zone='Pacific/Kiritimati']")
    page.wait_for_load_state("networkidle")
    today = page.evaluate("new Intl.DateTimeFormat('en', {dateStyle: 'full'}).format()")
    assert page.inner_text(".head .quiet") == today
    assert loaded == ["GET", "GET"]
    page.reload()
    page.wait_for_load_state("networkidle")
    assert loaded == ["GET", "GET", "GET"]


def test_a_page_without_times_in_its_text_is_not_loaded_again(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati")
    page.goto("/cities")
    page.wait_for_load_state("networkidle")
    assert loaded == ["GET"]


def test_a_browser_that_refuses_cookies_loads_no_page_again(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati")
    refused = "Object.defineProperty(document, 'cookie', {get: () => '', set: () => {}})"
    page.add_init_script(refused)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert loaded == ["GET"]


def test_the_answer_to_a_form_is_not_loaded_again(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati")
    page.route("**/zone.js", lambda route: route.abort())
    page.goto("/account")
    page.unroute("**/zone.js")
    page.fill("[name=time_zone]", "Atlantis")
    page.click("#reading button[type=submit]")
    page.wait_for_selector("#time_zone-error")
    page.wait_for_load_state("networkidle")
    assert loaded == ["GET", "POST"]
    assert page.input_value("[name=time_zone]") == "Atlantis"


def test_a_page_with_a_message_is_not_loaded_again(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati")
    page.route("**/zone.js", lambda route: route.abort())
    page.goto("/account")
    page.unroute("**/zone.js")
    page.click("#reading button[type=submit]")
    page.wait_for_selector(".notice")
    page.wait_for_load_state("networkidle")
    assert page.is_visible(".notice")
    assert loaded == ["GET", "POST", "GET"]


def test_a_page_with_a_message_that_stays_is_loaded_again(open_as: OpenAs):
    page, loaded = move_to(open_as, "Pacific/Kiritimati", "admin")
    page.goto("/history?day=yesterday")
    page.wait_for_selector("html[data-zone='Pacific/Kiritimati']")
    assert page.is_visible(".notice")
    assert loaded == ["GET", "GET"]
