"""The breadcrumb of a folder far down."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.site import Site

PARTS = ["deep", "a long name of a folder that takes the whole line", *"abcdefgh"]


def open_folder(site: Site, open_as: OpenAs, parts: list[str], **options: object) -> Page:
    path = "/".join(parts)
    files = [("folder", (f"{path}/notes.txt", b"Notes"))]
    site.send("editor", "/upload", page="/files", files=files)
    page = open_as("viewer", **options).new_page()
    page.goto(f"/files/folders/{path}")
    return page


def shown(page: Page) -> list[str]:
    """The parts that are shown, each of which can be read and tapped."""
    parts = page.locator(".crumbs ol > li > :is(a, details):visible")
    for part in parts.all():
        assert part.bounding_box()["width"] >= 24
    return parts.all_inner_texts()


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_the_middle_is_a_menu(site: Site, open_as: OpenAs, javascript: bool) -> None:
    viewport = {"width": 390, "height": 844}
    options = {"viewport": viewport, "java_script_enabled": javascript}
    page = open_folder(site, open_as, PARTS[:8], **options)
    assert shown(page) == ["Files", "…", "e"]
    page.locator(".crumbs summary").click()
    inner = page.locator(".crumbs .menu-panel a")
    assert inner.all_inner_texts() == PARTS[:6]
    box = page.locator(".crumbs .menu-panel").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    inner.nth(2).click()
    expect(page.locator("h1")).to_have_text("a")


def test_on_a_wide_page_all_are_shown_unless_they_are_too_many(site: Site, open_as: OpenAs) -> None:
    assert shown(open_folder(site, open_as, PARTS[:8])) == ["Files", *PARTS[:7]]
    assert shown(open_folder(site, open_as, PARTS)) == ["Files", "…", "g"]
