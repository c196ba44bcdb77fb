"""The start page with the keyboard: the key / and Undo."""

from playwright.sync_api import FileChooser, expect

from tests.browser.conftest import OpenAs, wait_until
from tests.site import Site

BOX = "main input[type=search]"


def test_the_key_goes_to_the_box_of_the_page_or_to_the_search(open_as: OpenAs):
    page = open_as("viewer").new_page()
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator(BOX)).to_be_focused()
    page.goto("/numbers")
    page.keyboard.press("/")
    page.wait_for_url("**/search")
    expect(page.locator(BOX)).to_be_focused()
    page.keyboard.type("numbers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=numbers")
    page.get_by_role("link", name="Numbers", exact=True).last.click()
    page.wait_for_url("**/numbers")


def test_the_list_of_shortcuts_has_those_that_work_on_the_page(open_as: OpenAs):
    page = open_as("editor").new_page()
    for address, keys in (
        ("/cities", "/ n j k Enter ?"),
        ("/files", "/ n j k Enter a ?"),
        ("/files/folders/survey", "/ n j k Enter a ?"),
        ("/cities/removed", "/ j k Enter ?"),
        ("/files/removed", "/ j k Enter ?"),
        ("/account", "/ ?"),
    ):
        page.goto(address)
        page.keyboard.press("?")
        assert " ".join(page.locator("#keys kbd:visible").all_inner_texts()) == keys, address


def test_the_keys_of_lists_work_for_files_and_removed_things(open_as: OpenAs):
    page = open_as("editor").new_page()
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    for address in ("/files", "/files/folders/survey"):
        page.goto(address)
        expect(page.locator("[data-key-new]")).to_be_visible()
        page.keyboard.press("n")
        wait_until(lambda: choosers, lambda: page.wait_for_timeout(50))
        choosers.clear()
    for address in ("/files", "/files/removed", "/cities/removed"):
        page.goto(address)
        page.keyboard.press("j")
        expect(page.locator(".sheet tbody tr").first.locator(".main a")).to_be_focused()


def test_undo_works_with_the_keyboard_and_without_a_script(open_as: OpenAs):
    for script in (True, False):
        page = open_as("editor", java_script_enabled=script).new_page()
        page.goto("/cities/new")
        for field, value in (("city", f"Undo {script}"), ("province", "P"), ("number", "5")):
            page.fill(f"#{field}", value)
        page.locator("form.form button[type=submit]").first.click()
        page.goto("/")
        undo = page.get_by_role("button", name=f"Undo: You added Undo {script}")
        undo.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Undo {script} was removed.")).to_be_visible()
        assert page.url.endswith("/")


def test_a_bulk_change_is_undone_with_and_without_a_script(open_as: OpenAs, site: Site):
    for script in (True, False):
        # So that the upload is not one with those of other tests.
        city = {"city": f"Before {script}", "province": "P", "number": "5"}
        site.send("editor", "/cities/new", city)
        names = [f"undo {script} {number}.txt" for number in range(2)]
        files = [("file", (name, b"Harbour")) for name in names]
        site.send("editor", "/upload", page="/files", files=files)
        page = open_as("editor", java_script_enabled=script).new_page()
        page.goto("/")
        page.locator(".feed li", has_text="You uploaded").first.get_by_role("button").click()
        expect(page.locator(".notice")).to_have_text("2 files were removed.")
        expect(page.locator(".feed li").nth(1)).to_contain_text("You removed")
