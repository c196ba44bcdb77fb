"""The page of a file that the browser cannot show."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenAs
from tests.files.preview.helpers import pdf
from tests.html import Page
from tests.site import Site


def page_of(site: Site, name: str, content: bytes) -> str:
    """The address of the page of a file that is uploaded."""
    site.send("editor", "/upload", page="/files", files=[("file", (name, content))])
    text = site.clients["editor"].get(f"{site.base}/files?q={name}", timeout=60).text
    return Page(text).links("tbody .main a[href$='/details']")[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [("broken.mp3", b"ID3" + bytes(50)), ("broken.webm", b"\x1a\x45\xdf\xa3" + bytes(50))],
    ids=["sound", "film"],
)
def test_damaged_sound_and_film_are_replaced_by_a_sentence(
    site: Site, open_as: OpenAs, name: str, content: bytes
) -> None:
    address = page_of(site, name, content)
    page = open_as("viewer").new_page()
    page.goto(address)
    expect(page.locator(".preview [role=status]")).to_contain_text("cannot play this file")
    expect(page.locator("audio, video")).to_have_count(0)
    expect(page.get_by_role("link", name="Download", exact=True).first).to_be_visible()


def test_a_refused_document_cannot_be_opened_in_a_new_tab(site: Site, open_as: OpenAs) -> None:
    address = page_of(site, "script.pdf", pdf(b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"))
    page = open_as("viewer").new_page()
    page.goto(address)
    expect(page.frame_locator("iframe.preview").locator(".preview.none")).to_be_visible()
    expect(page.locator("[data-new-tab]")).to_be_hidden()
