"""Scripts of a few lines: a file dropped on the page of the import, the row that was saved, small
pictures that are asked for again, the frame of a document."""

from playwright.sync_api import Route, expect

from app.files.preview.views import NOT_YET_PICTURE
from tests.browser.conftest import OpenAs
from tests.servers import wait_until

DROP = """() => {
  const data = new DataTransfer();
  data.items.add(new File(["province,city,number\\n"], "towns.csv", { type: "text/csv" }));
  const send = (name) => {
    const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data });
    return document.querySelector("h1").dispatchEvent(event);
  };
  return [send("dragover"), send("drop")];
}"""


def test_a_dropped_file_is_chosen_and_the_page_stays(open_as: OpenAs) -> None:
    page = open_as("editor").new_page()
    page.goto("/cities/import")
    assert page.evaluate(DROP) == [False, False], "the browser would open the file"
    chosen = "() => document.querySelector('input[type=file]').files[0]?.name"
    assert page.evaluate(chosen) == "towns.csv"
    assert page.url.endswith("/cities/import")


def test_the_row_that_was_saved_is_marked(open_as: OpenAs) -> None:
    page = open_as("editor").new_page()
    page.goto("/cities?sort=users")
    link = page.locator("tbody tr:nth-child(5) .main a")
    name = link.inner_text()
    link.click()
    page.fill("#number", str(int(page.input_value("#number")) - 1))
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/cities?sort=users")
    assert page.locator("tr.marked .main").inner_text() == name
    assert page.locator("tr.marked").count() == 1


def test_a_small_picture_that_is_not_made_yet_is_asked_for_again(open_as: OpenAs) -> None:
    page = open_as("viewer").new_page()
    page.clock.install()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) < 3:
            route.fulfill(content_type="image/webp", body=NOT_YET_PICTURE)
        else:
            route.continue_()

    page.route("**/picture/64*", answer)
    page.goto("/files?q=harbour.jpg")
    picture = page.locator(".thumb > img")
    while picture.evaluate("image => image.naturalWidth") < 10:
        page.clock.run_for(1000)
    assert len(asked) == 3


def test_the_frame_of_a_document_shows_that_it_has_the_focus(open_as: OpenAs) -> None:
    page = open_as("viewer").new_page()
    page.goto("/files/1/details")
    frame = page.locator("iframe.preview")

    def is_reached() -> bool:
        """Only once the viewer of the browser has loaded."""
        page.get_by_role("link", name="Download").focus()
        page.keyboard.press("Tab")
        return bool(frame.evaluate("frame => frame === document.activeElement"))

    wait_until(is_reached, "the frame to get the focus")
    expect(frame).to_have_css("outline-style", "solid")
    page.get_by_role("link", name="Download").focus()
    expect(frame).to_have_css("outline-style", "none")


def test_each_row_can_be_sent_while_another_is_and_none_twice(open_as: OpenAs) -> None:
    """The buttons of all rows belong to one form."""
    page = open_as("editor").new_page()
    page.goto("/cities")
    prevented = page.evaluate("""() => {
      const prevented = [];
      window.addEventListener("submit", (event) => {
        prevented.push(event.defaultPrevented);
        event.preventDefault(); // stay on the page
      });
      const [first, second] = document.querySelectorAll("tbody button[formaction$='/delete']");
      for (const button of [first, first, second]) button.click();
      return prevented;
    }""")
    assert prevented == [False, True, False]


def test_a_digest_is_whole_without_a_script_and_the_button_moves_nothing(open_as: OpenAs) -> None:
    heights = []
    for enabled in (False, True):
        page = open_as("viewer", java_script_enabled=enabled).new_page()
        page.goto("/files/1/details")
        digest = page.locator("#sha256")
        assert len(digest.inner_text()) == 64
        code, row = digest.bounding_box(), page.locator(".digest").bounding_box()
        assert code
        assert row
        assert digest.evaluate("code => getComputedStyle(code).overflowX") == "visible"
        assert code["x"] + code["width"] < row["x"] + row["width"]
        assert page.get_by_role("button", name="Copy", exact=True).count() == int(enabled)
        heights.append(row["height"])
    assert heights[0] == heights[1]
