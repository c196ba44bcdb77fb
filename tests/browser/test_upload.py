"""Uploads by the script of the page: choosing, dropping, stopping, errors."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.files.helpers import PDF, REPORT, some_text

DROP = """([zone, files]) => {
    const transfer = new DataTransfer();
    for (const [name, text] of files) transfer.items.add(new File([text], name));
    zone.dispatchEvent(new DragEvent("dragover", {dataTransfer: transfer, bubbles: true}));
    zone.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
}"""


@pytest.fixture
def page(open_as: OpenAs) -> Page:
    page = open_as("editor").new_page()
    page.goto("/files")
    return page


def chosen(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "", "buffer": data}


class Responses:
    """Delays the responses to uploads, after the server has stored the files."""

    def __init__(self, page: Page) -> None:
        self.page, self.held = page, list[str]()
        self.network = page.context.new_cdp_session(page)
        self.network.on("Fetch.requestPaused", lambda paused: self.held.append(paused["requestId"]))
        pattern = {"urlPattern": "*/upload?*", "requestStage": "Response"}
        self.network.send("Fetch.enable", {"patterns": [pattern]})

    def next(self) -> dict[str, str]:
        """Wait for a response; returns its id."""
        while not self.held:
            self.page.wait_for_timeout(20)
        return {"requestId": self.held.pop()}

    def release(self) -> None:
        """Deliver the next response."""
        self.network.send("Fetch.continueRequest", self.next())

    def drop(self) -> None:
        """Break the connection instead of delivering the next response."""
        self.network.send("Fetch.failRequest", {**self.next(), "errorReason": "ConnectionReset"})


@pytest.fixture
def responses(page: Page) -> Responses:
    return Responses(page)


def test_chosen_files_are_uploaded_and_appear_in_the_list(page: Page) -> None:
    name = REPORT.replace("终稿", "上传")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="choose files").click()
    chooser.value.set_files([chosen(name, PDF), chosen("b.png", b"MZ")])
    done = page.locator(".going.done")
    expect(done).to_contain_text(name)
    expect(page.locator(".going.failed")).to_contain_text("The content is not a .png file.")
    expect(page.get_by_role("status").last).to_contain_text("1 uploaded, 1 failed")
    expect(page.locator("[data-fresh=list]").get_by_role("link", name=name).first).to_be_visible()


def test_a_folder_is_stored_with_its_paths(page: Page, tmp_path: Path) -> None:
    (tmp_path / "survey" / "北").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "survey" / "北" / f"{number}.txt").write_bytes(some_text(100, number))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="a folder").click()
    chooser.value.set_files(tmp_path / "survey")
    expect(page.locator(".going.done")).to_have_count(5)
    expect(page.locator("[data-fresh=list]")).to_contain_text("survey/北/4.txt")


def test_dropped_files_are_uploaded(page: Page) -> None:
    zone = page.locator("[data-drop]").element_handle()
    page.evaluate(DROP, [zone, [["dropped.txt", "a river"], ["<img src=x>.txt", "x"]]])
    expect(page.locator(".going.done")).to_have_count(2)
    expect(page.locator(".going-list")).to_contain_text("<img src=x>.txt")
    expect(page.locator("[data-fresh=list]")).to_contain_text("dropped.txt")


def test_an_upload_shows_its_speed_and_can_be_stopped(page: Page) -> None:
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.locator("#file").set_input_files([chosen("slow.txt", some_text(5 << 20))])
    row = page.locator(".going")
    expect(row.locator(".going-state")).to_contain_text(
        re.compile(r"of 5 MB, .+B/s, \d+ (second|minute)s? left"), timeout=60_000
    )
    row.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("stopped")
    page.get_by_role("button", name="Clear this list").click()
    expect(row).to_have_count(0)
    page.reload()
    expect(page.locator("[data-fresh=list]")).not_to_contain_text("slow.txt")


def test_too_large_file_is_reported_before_it_is_sent(page: Page) -> None:
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '1000'")
    page.locator("#file").set_input_files([chosen("large.txt", some_text(1001))])
    expect(page.locator(".going.failed")).to_contain_text("larger than 100 MB")


def test_too_large_files_do_not_refresh_the_list(page: Page) -> None:
    asked: list[str] = []
    page.locator("#file").set_input_files([chosen("small.txt", b"x")])
    expect(page.locator("[data-fresh=list]")).to_contain_text("small.txt")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '0'")
    page.locator("#file").set_input_files([chosen(f"{n}.txt", b"x") for n in range(20)])
    expect(page.get_by_role("status").last).to_contain_text("1 uploaded, 20 failed")
    page.wait_for_load_state("networkidle")
    assert asked == []


def test_a_sent_file_can_no_longer_be_stopped(page: Page, responses: Responses) -> None:
    page.locator("#file").set_input_files([chosen("sent.txt", b"a river")])
    row = page.locator(".going")
    expect(row).to_contain_text("checking…")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("button", name="Clear this list")).to_have_count(0)
    responses.release()
    expect(row).to_contain_text("uploaded")


def test_stopping_all_does_not_affect_sent_files(page: Page, responses: Responses) -> None:
    page.locator("#file").set_input_files([chosen("early.txt", b"a river")])
    expect(page.locator(".going")).to_contain_text("checking…")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    responses.network.send("Network.emulateNetworkConditions", slow)
    page.locator("#file").set_input_files([chosen("late.txt", some_text(2 << 20))])
    page.get_by_role("button", name="Stop all").click()
    expect(page.locator(".going.failed")).to_contain_text("late.txt")
    responses.release()
    expect(page.locator(".going.done")).to_contain_text("early.txt")


def test_connection_lost_after_sending_may_have_uploaded_the_file(
    page: Page, responses: Responses
) -> None:
    page.locator("#file").set_input_files([chosen("unsure.txt", b"a river")])
    responses.drop()
    expect(page.locator(".going.failed")).to_contain_text(
        "Check the list to see whether the file was uploaded"
    )
    expect(page.locator("[data-fresh=list]")).to_contain_text("unsure.txt")


def test_connection_lost_while_sending_has_uploaded_nothing(page: Page) -> None:
    page.route("**/upload?f=*", lambda route: route.abort())
    page.locator("#file").set_input_files([chosen("lost.txt", b"a river")])
    expect(page.locator(".going.failed")).to_contain_text("This file was not uploaded")


def test_a_folder_that_the_browser_cannot_read_is_reported(page: Page) -> None:
    page.evaluate(
        """() => {
            const refuse = (_found, failed) => failed(new DOMException("", "NotReadableError"));
            DataTransferItem.prototype.webkitGetAsEntry = () => ({
                name: "locked", isFile: false, isDirectory: true,
                createReader: () => ({readEntries: refuse}),
            });
        }"""
    )
    zone = page.locator("[data-drop]").element_handle()
    page.evaluate(DROP, [zone, [["locked", ""]]])
    expect(page.locator(".going.failed")).to_contain_text("This folder could not be read.")


def test_the_focus_stays_where_it_is_when_the_list_is_refreshed(page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("link", name="Upload", exact=True).focus()
        page.keyboard.press("Enter")
    chooser.value.set_files([chosen("focus.txt", b"x")])
    expect(page.locator("[data-fresh=list]")).to_contain_text("focus.txt")
    expect(page.get_by_role("link", name="Upload", exact=True)).to_be_focused()
    remove = page.get_by_role("button", name="Remove focus.txt").first
    remove.focus()
    page.locator("#file").set_input_files([chosen("behind.txt", b"x")])
    expect(page.locator("[data-fresh=list]")).to_contain_text("behind.txt")
    expect(remove).to_be_focused()


def test_without_javascript_the_form_uploads(open_as: OpenAs) -> None:
    page = open_as("editor", java_script_enabled=False).new_page()
    page.goto("/files")
    page.get_by_label("Files", exact=True).set_input_files([chosen("plain.txt", b"x")])
    page.get_by_role("button", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/upload_success\?batch="))
    expect(page.get_by_role("link", name="plain.txt")).to_be_visible()
    page.get_by_role("link", name="Upload more").click()
    expect(page).to_have_url(re.compile("/files#upload$"))
