"""The notice after an action, by keyboard."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenAs
from tests.site import Site


def test_the_next_tab_after_a_removal_goes_to_undo(site: Site, open_as: OpenAs) -> None:
    site.send("editor", "/cities/new", {"city": "Tabville", "province": "P", "number": "5"})
    page = open_as("editor").new_page()
    page.goto("/cities?q=Tabville")
    page.locator("tbody button[formaction$='/delete']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("Tabville was removed.")
    expect(page).to_have_url(f"{site.base}/cities?q=Tabville")
    page.wait_for_load_state()
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Tab")
    expect(page.locator(".notice button")).to_be_focused()
