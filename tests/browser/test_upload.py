"""Uploads by the page's own script: choosing, dropping, stopping, refusals."""

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


def test_chosen_files_go_up_and_appear_in_the_list(page: Page) -> None:
    name = REPORT.replace("终稿", "上传")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="choose files").click()
    chooser.value.set_files([chosen(name, PDF), chosen("b.exe", b"MZ")])
    done = page.locator(".going.done")
    expect(done).to_contain_text(name)
    expect(page.locator(".going.failed")).to_contain_text("Only these endings are taken")
    expect(page.get_by_role("status").last).to_contain_text("1 kept, 1 not kept")
    expect(page.locator("[data-fresh=list]").get_by_role("link", name=name).first).to_be_visible()


def test_a_folder_keeps_its_paths(page: Page, tmp_path: Path) -> None:
    (tmp_path / "survey" / "北").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "survey" / "北" / f"{number}.txt").write_bytes(some_text(100, number))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="a folder").click()
    chooser.value.set_files(tmp_path / "survey")
    expect(page.locator(".going.done")).to_have_count(5)
    expect(page.locator("[data-fresh=list]")).to_contain_text("survey/北/4.txt")


def test_dropped_files_go_up(page: Page) -> None:
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
        re.compile(r"of 5 MB, .+B a second, \d+ (second|minute)s? left"), timeout=15_000
    )
    row.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("stopped")
    page.get_by_role("button", name="Clear this list").click()
    expect(row).to_have_count(0)
    page.reload()
    expect(page.locator("[data-fresh=list]")).not_to_contain_text("slow.txt")


def test_too_large_is_told_before_it_is_sent(page: Page) -> None:
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '1000'")
    page.locator("#file").set_input_files([chosen("large.txt", some_text(1001))])
    expect(page.locator(".going.failed")).to_contain_text("larger than 100 MB")


def test_without_javascript_the_form_uploads(open_as: OpenAs) -> None:
    page = open_as("editor", java_script_enabled=False).new_page()
    page.goto("/files")
    page.get_by_label("Files", exact=True).set_input_files([chosen("plain.txt", b"x")])
    page.get_by_role("button", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/upload_success\?batch="))
    expect(page.get_by_role("link", name="plain.txt")).to_be_visible()
    page.get_by_role("link", name="Upload more").click()
    expect(page).to_have_url(re.compile("/files#upload$"))
