"""Times in the zone of the browser, and lists that readers share."""

from tests.browser.conftest import OpenAs
from tests.browser.steadiness import OBSERVE, SHIFT_MOST, SHIFTS


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
    assert sum(shift[0] for shift in page.evaluate(SHIFTS)) < SHIFT_MOST


def test_the_script_writes_what_the_server_writes(open_as: OpenAs):
    for locale, language in (("en", "en"), ("zh-CN", "zh-CN")):
        for zone in ("America/New_York", "Asia/Kolkata", "UTC"):
            page = open_as("editor", timezone_id=zone, locale=locale).new_page()
            page.goto("/cities")
            assert page.get_attribute("html", "lang") == language
            shared = titles(page, ".sheet time")[0]
            page.goto(page.get_attribute(".sheet td.main a", "href"))
            own = titles(page, "main time")
            assert shared.split(" (")[0] in [title.split(" (")[0] for title in own]


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
