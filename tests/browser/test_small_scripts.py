"""Scripts of a few lines: a file dropped on the page of the import, the row that was saved."""

from tests.browser.conftest import OpenAs

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
