"""Selecting rows of a list of files."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.steadiness import assert_steady, observe, short_tasks

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
FOLDER = "/files/folders/survey"
ROWS, ALL = "tbody .pick-row input", "thead .pick-row input"


@pytest.fixture(params=SIZES)
def page(request, open_as: OpenAs) -> Page:
    context = open_as("editor", viewport=SIZES[request.param])
    page = context.new_page()
    observe(page)
    page.goto(FOLDER)
    expect(page.locator(ALL)).to_be_visible()
    return page


def test_all_rows_of_a_page_are_selected_and_counted(page: Page) -> None:
    count, bar = page.locator(ROWS).count(), page.locator(".selection > span")
    assert count > 2
    expect(bar).to_be_hidden()
    assert_steady(page)
    page.locator(ROWS).first.check()
    expect(bar).to_have_text("1 selected")
    assert page.locator(ALL).evaluate("box => box.indeterminate")
    with short_tasks(page):
        page.locator(ALL).focus()
        page.keyboard.press("Space")
        expect(bar).to_have_text(f"{count} selected")
    expect(bar).to_be_visible()
    expect(page.locator("[data-fresh=list] [role=status]")).to_have_text(f"{count} selected")
    expect(page.locator(f"{ROWS}:checked")).to_have_count(count)
    page.locator(ROWS).last.uncheck()
    expect(page.locator(ALL)).not_to_be_checked()
    page.locator(ALL).check()
    page.locator(ALL).uncheck()
    expect(bar).to_be_hidden()
    expect(page.locator(f"{ROWS}:checked")).to_have_count(0)
    assert_steady(page)


def test_rows_that_the_browser_checks_again_are_counted(page: Page) -> None:
    page.locator(ALL).check()
    count = page.locator(ROWS).count()
    page.get_by_role("button", name="Move", exact=True).click()
    page.wait_for_url("**/files/move?*")
    page.go_back()
    checked = page.locator(f"{ROWS}:checked")
    expect(checked).to_have_count(count)
    expect(page.locator(".selection > span")).to_have_text(f"{count} selected")


def test_in_a_replaced_list_the_same_row_is_selected_and_all_can_be(open_as: OpenAs) -> None:
    page = open_as("editor").new_page()
    page.goto("/files")
    selected = page.locator(ROWS).first
    value = selected.get_attribute("value")
    selected.check()
    page.locator("#file").set_input_files(
        [{"name": "selected.txt", "mimeType": "", "buffer": b"x"}]
    )
    expect(page.locator("[data-fresh=list]")).to_contain_text("selected.txt")
    expect(page.locator(f"{ROWS}:checked")).to_have_attribute("value", value)
    expect(page.locator(".selection > span")).to_have_text("1 selected")
    page.locator(ALL).check()
    count = page.locator(ROWS).count()
    expect(page.locator(".selection > span")).to_have_text(f"{count} selected")


def test_without_a_script_the_head_has_no_checkbox(open_as: OpenAs) -> None:
    page = open_as("viewer", java_script_enabled=False).new_page()
    page.goto(FOLDER)
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(ALL)).to_be_hidden()
    page.locator(ROWS).first.check()
    expect(page.locator(".selection > span")).to_have_text("Selected")


def test_a_selection_is_downloaded_as_often_as_asked(open_as: OpenAs) -> None:
    page = open_as("viewer").new_page()
    page.goto(FOLDER)
    page.locator(ROWS).first.check()
    button = page.get_by_role("button", name="Download", exact=True)
    for _time in range(2):
        with page.expect_download():
            button.click()
    assert button.get_attribute("aria-busy") is None


def test_the_keyboard_reaches_the_actions_from_a_row(open_as: OpenAs) -> None:
    page = open_as("editor").new_page()
    observe(page)
    page.goto(FOLDER)
    expect(page.locator(ALL)).to_be_visible()
    page.locator(ROWS).last.focus()
    page.keyboard.press("Space")
    page.keyboard.press("a")
    expect(page.locator(".selection button").first).to_be_focused()
    for _press in range(2):
        page.keyboard.press("Tab")
    expect(page.locator(".selection button").last).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(ALL)).to_be_focused()
    assert_steady(page)
