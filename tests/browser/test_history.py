"""The history on a phone."""

from tests.browser.conftest import OpenAs


def test_an_entry_is_two_lines_and_its_link_shows_the_rest(open_as: OpenAs) -> None:
    phone = {"width": 390, "height": 844}
    page = open_as("admin", viewport=phone, java_script_enabled=False).new_page()
    page.goto("/history")
    rows = page.locator(".history tbody tr")
    heights = {row.bounding_box()["height"] for row in rows.all()}
    assert max(heights) <= 72
    assert page.evaluate("document.documentElement.scrollWidth") == phone["width"]
    row = rows.filter(has_text="SHA-256").first
    row.locator(".row-more").click()
    assert row.bounding_box()["height"] > 72
    changes = row.locator(".changes ul")
    assert changes.evaluate("list => list.scrollWidth <= list.clientWidth")
