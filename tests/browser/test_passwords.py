"""The button that shows a password."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenAs


def test_a_password_is_shown_and_sent_as_a_password_again(open_as: OpenAs):
    page = open_as(None).new_page()
    page.goto("/login")
    field, button = page.locator("#password"), page.get_by_role("button", name="Show password")
    page.fill("#name", "nobody")
    field.fill("correct horse")
    expect(button).to_have_attribute("aria-pressed", "false")
    field.press("Tab")  # the button follows the field
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(field).to_have_value("correct horse")
    page.keyboard.press("Space")
    expect(field).to_have_attribute("type", "password")
    button.click()
    page.evaluate("""() => document.querySelector("#password").form.addEventListener(
      "submit", event => { event.preventDefault();
                           window.sent = document.querySelector("#password").type; })""")
    field.press("Enter")
    assert page.evaluate("window.sent") == "password"


def test_enter_in_a_form_never_presses_it(open_as: OpenAs):
    page = open_as(None).new_page()
    page.goto("/login")
    page.fill("#name", "nobody")
    page.fill("#password", "wrong one")
    with page.expect_navigation() as sent:
        page.press("#name", "Enter")
    assert sent.value.status == 422


def test_without_a_script_there_is_no_button(open_as: OpenAs):
    page = open_as(None, java_script_enabled=False).new_page()
    page.goto("/login")
    expect(page.locator("#password")).to_be_visible()
    expect(page.locator("[data-show-password]")).to_be_hidden()


def test_rows_are_chosen_with_the_keyboard_and_without_a_script(open_as: OpenAs):
    for script in (True, False):
        page = open_as("editor", java_script_enabled=script).new_page()
        page.goto("/cities?sort=users")
        page.locator(".pager-rows [value='100']").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.endswith("/cities?sort=users")
        expect(page.locator(".sheet tbody tr")).to_have_count(100)
        with page.expect_navigation():
            page.locator(".pager-rows [value='50']").click()
        expect(page.locator(".sheet tbody tr")).to_have_count(50)
