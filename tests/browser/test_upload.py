"""Uploads by the script of the page: choosing, dropping, stopping, failures, thousands of files."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, expect

from tests.browser.conftest import OpenAs, open_window, wait_until
from tests.browser.steadiness import OBSERVE, assert_steady, short_tasks
from tests.factories import PASSWORD
from tests.files.helpers import PDF, REPORT, some_text
from tests.site import Site

DROP = """([zone, files]) => {
    const transfer = new DataTransfer();
    for (const [name, text] of files) transfer.items.add(new File([text], name));
    zone.dispatchEvent(new DragEvent("dragover", {dataTransfer: transfer, bubbles: true}));
    zone.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
}"""
# Have every drop be a folder with a file and a folder, which is read only after openInner().
SLOW_FOLDER = """() => {
    const file = (name) => ({
        name, isFile: true, isDirectory: false,
        file: (done) => done(new File([name.repeat(200000)], name)),
    });
    const folder = (name, entries, ready) => ({
        name, isFile: false, isDirectory: true,
        createReader: () => {
            const parts = [entries, []];
            return {readEntries: (done) => ready.then(() => done(parts.shift()))};
        },
    });
    const opened = new Promise((open) => { window.openInner = open; });
    const inner = folder("inner", [file("second.txt")], opened);
    const outer = folder("outer", [file("first.txt"), inner], Promise.resolve());
    DataTransferItem.prototype.webkitGetAsEntry = () => outer;
}"""

# Have all texts recorded that are shown below the title of the panel, however shortly.
RECORD_FIGURES = """() => {
    window.figures = [];
    const shown = document.querySelector("[data-figures]");
    const observer = new MutationObserver(() => window.figures.push(shown.textContent));
    observer.observe(shown, {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture(scope="module")
def window(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """The window of an editor, which the tests share."""
    window = open_window(chromium, site, "editor")
    yield window
    window.close()


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    """A new tab of it."""
    page = window.new_page()
    page.goto("/files")
    yield page
    page.close()


def chosen(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "", "buffer": data}


def chosen_list(*names: str) -> list[dict[str, object]]:
    """Small files of these names, each with another content."""
    return [chosen(name, name.encode()) for name in names]


def expect_title(page: Page, text: str) -> None:
    expect(page.locator("[data-title]")).to_have_text(text)


def expect_failure(page: Page, name: str, reason: str) -> None:
    row = page.locator("[data-failures] li").filter(has_text=name)
    expect(row).to_contain_text(reason)
    expect(row.get_by_role("button", name=f"Retry: {name}")).to_be_visible()


def expect_stopped(page: Page, name: str) -> None:
    """Also unfolds the list of stopped files."""
    if page.locator("[data-stops]:not([open])").count():
        page.get_by_text("Stopped files").click()
    row = page.locator("[data-stops] li").filter(has_text=name)
    expect(row.get_by_role("button", name=f"Retry: {name}")).to_be_visible()


def expect_listed(page: Page, name: str) -> None:
    expect(page.locator("[data-fresh=list]")).to_contain_text(name)


def notes(page: Page) -> str:
    """What is said about the uploaded files."""
    page.locator("[data-successes] summary").click()
    expect(page.locator("[data-successes] li").first).to_be_visible()
    return page.locator("[data-successes]").inner_text()


def slow_down(page: Page, bytes_a_second: int) -> Callable[[], None]:
    """Limit the speed of sending; returns a function that ends it."""
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1}

    def limit(speed: int) -> None:
        network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": speed})

    limit(bytes_a_second)
    return lambda: limit(-1)


def is_sent(route: Route, name: str) -> bool:
    """True if a request has a file of this name."""
    return name.encode() in (route.request.post_data_buffer or b"")


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
        wait_until(lambda: self.held, lambda: self.page.wait_for_timeout(20))
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
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([chosen(name, PDF), chosen("b.png", b"MZ")])
    expect_title(page, "1 uploaded, 1 failed")
    expect_failure(page, "b.png", "The content is not a .png file.")
    expect(page.locator("[data-fresh=list]").get_by_role("link", name=name).first).to_be_visible()
    assert name in notes(page)


def test_a_folder_is_stored_with_its_paths(page: Page, tmp_path: Path) -> None:
    (tmp_path / "survey" / "北").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "survey" / "北" / f"{number}.txt").write_bytes(some_text(100, number))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(tmp_path / "survey")
    expect_title(page, "5 uploaded")
    page.locator("[data-fresh=list]").get_by_role("link", name="survey", exact=True).click()
    page.get_by_role("link", name="北", exact=True).click()
    expect_listed(page, "4.txt")
    expect(page.locator("[data-drop].scripted")).to_be_attached()
    page.locator("#file").set_input_files(chosen_list("into this folder.txt"))
    expect_title(page, "1 uploaded")
    expect_listed(page, "into this folder.txt")


def test_dropped_files_are_uploaded(page: Page) -> None:
    zone = page.locator("[data-drop]").element_handle()
    page.evaluate(DROP, [zone, [["dropped.txt", "a river"], ["<img src=x>.txt", "x"]]])
    expect_title(page, "2 uploaded")
    assert "<img src=x>.txt" in notes(page)
    expect_listed(page, "dropped.txt")


def test_thousands_of_files_are_a_short_page(page: Page, tmp_path: Path) -> None:
    for number in range(3000):
        folder = tmp_path / "many" / str(number % 20)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(f"{number:06} the harbour is clear\n" * 70)
    page.evaluate(OBSERVE)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    with short_tasks(page):
        page.locator("#folder").set_input_files(tmp_path / "many")
        expect(page.locator("[data-title]")).to_have_text(re.compile(r"Uploading [\d,]+ of 3,000"))
        expect(page.locator("[data-figures]")).to_contain_text(
            re.compile(r"MB of 5.6 MB, .+B/s, about \d+ (second|minute)s? left")
        )
        expect(page.locator("[data-title]")).to_have_text("3,000 uploaded", timeout=180_000)
    assert requests.count("POST") < 3000 / 20
    assert_steady(page)
    assert "and 2,900 more" in notes(page)
    assert page.locator("[data-panel] *").count() < 200


def test_an_upload_shows_its_speed_and_can_be_stopped(page: Page) -> None:
    restore = slow_down(page, 400_000)
    page.locator("#file").set_input_files([chosen("slow.txt", some_text(5 << 20))])
    expect(page.locator("[data-figures]")).to_contain_text(
        re.compile(r"of 5 MB, .+B/s, about \d+ (second|minute)s? left")
    )
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_stopped(page, "slow.txt")
    expect_title(page, "0 uploaded, 1 stopped")
    restore()
    page.reload()
    expect(page.locator("[data-fresh=list]")).not_to_contain_text("slow.txt")


def test_what_was_stopped_is_sent_by_retry_all(page: Page) -> None:
    restore = slow_down(page, 20_000)
    names = [f"stopped{number}.txt" for number in range(120)]
    page.locator("#file").set_input_files([chosen(name, some_text(5000)) for name in names])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_title(page, "0 uploaded, 120 stopped")
    page.get_by_text("Stopped files").click()
    expect(page.locator("[data-stops] li")).to_have_count(100)
    expect(page.locator("[data-stops]")).to_contain_text("and 20 more")
    restore()
    page.get_by_role("button", name="Retry all").click()
    expect_title(page, "120 uploaded")
    expect(page.locator("[data-failures]")).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()


def test_a_paused_upload_is_resumed_and_an_unreadable_file_fails_alone(
    page: Page, tmp_path: Path
) -> None:
    restore = slow_down(page, 20_000)
    page.locator("#file").set_input_files([chosen("first.bin", some_text(300_000))] * 4)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-title]")).to_contain_text("Paused")
    for name in ("stays.txt", "goes.txt", "stays too.txt"):
        (tmp_path / name).write_text(name)
    page.locator("#file").set_input_files(sorted(tmp_path.iterdir()))
    (tmp_path / "goes.txt").unlink()
    restore()
    page.get_by_role("button", name="Resume").click()
    expect_title(page, "3 uploaded, 3 already there, 1 failed")
    expect_failure(page, "goes.txt", "This file could not be read.")
    expect_listed(page, "stays too.txt")


def test_a_large_file_alone_is_paused_and_sent_again(page: Page) -> None:
    restore = slow_down(page, 200_000)
    page.locator("#file").set_input_files([chosen("alone.bin", some_text(3 << 20))])
    expect(page.locator("[data-figures]")).to_contain_text("/s, about")
    pause = page.get_by_role("button", name="Pause")
    expect(pause).to_have_attribute("title", re.compile("sent again from their beginning"))
    with page.expect_event("requestfailed"):
        pause.click()
    expect_title(page, "Paused, 0 of 1 uploaded")
    expect(page.locator("[data-figures]")).to_have_text("0 B of 3 MB")
    restore()
    page.get_by_role("button", name="Resume").click()
    expect_title(page, "1 uploaded")
    expect_listed(page, "alone.bin")


def test_failures_come_before_what_was_stopped(page: Page) -> None:
    restore = slow_down(page, 20_000)
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '300000'")
    sizes = {"waits.txt": 200_000, "large.txt": 300_001, "waits too.txt": 200_001}
    page.locator("#file").set_input_files([chosen(n, some_text(s)) for n, s in sizes.items()])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_title(page, "0 uploaded, 1 failed, 2 stopped")
    expect(page.locator("[data-failures] [data-count]")).to_have_text("1 failed, 2 stopped")
    expect(page.locator("[data-failures] li")).to_have_count(1)
    expect(page.locator("[data-failures] > ul")).to_contain_text("larger than 100 MB")
    expect_stopped(page, "waits too.txt")
    expect(page.locator("[data-stops] li")).to_have_count(2)
    restore()
    page.get_by_role("button", name="Retry all").click()
    expect_title(page, "2 uploaded, 1 failed")
    expect(page.locator("[data-stops]")).to_be_hidden()


# Have a queue of 600 files of 300 bytes and one of 19 MB be uploaded in steps of a second, each of
# so many small files and bytes of the large one; returns what is shown after the last.
ESTIMATE = """async (steps) => {
    const loaded = performance.getEntriesByType("resource").map((each) => each.name);
    const address = loaded.find((name) => name.includes("upload_progress"));
    const { Progress, cost } = await import(address);
    const progress = new Progress();
    const [small, large] = [300, 19e6].map((size) => ({file: {size}}));
    const total = {count: 601, bytes: 600 * 300 + 19e6, cost: 600 * cost(small) + cost(large)};
    const job = {items: [large], bytes: 19e6, sent: 0, complete: false};
    const uploaded = {count: 0, bytes: 0, cost: 0};
    const queue = {uploaded, jobs: [job], failures: new Map(), stopped: new Set(), total};
    let shown = progress.of(queue, 0);
    steps.forEach(([files, bytes], index) => {
        uploaded.count += files;
        uploaded.bytes += 300 * files;
        uploaded.cost += files * cost(small);
        job.sent += bytes;
        shown = progress.of(queue, 1000 * (index + 1));
    });
    return shown;
}"""


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        # By the bytes: 18 MB at 250 kB a second, though most files are there.
        ([(150, 205_000)] * 4, 73),
        # The small ones are there, and the large one goes on.
        ([(300, 0)] * 2 + [(0, 250_000)] * 10, 66),
        # By the files: the large one is nearly there, and of the small ones 10 come in a second.
        ([(10, 3_160_000)] * 6, 54),
        # While only the large one was sent, nothing was learned about the small ones.
        ([(10, 0)] * 6 + [(0, 1_000_000)] * 12, 54),
    ],
)
def test_the_time_left_follows_from_what_is_slower(
    page: Page, steps: list[tuple[int, int]], seconds: int
) -> None:
    shown = page.evaluate(ESTIMATE, steps)
    assert shown["left"] == pytest.approx(seconds, rel=0.03)
    assert shown["left"] >= (19_180_000 - shown["bytes"]) / shown["speed"] - 1


def test_too_large_files_are_reported_and_not_sent(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '1000'")
    page.locator("#file").set_input_files([chosen(f"{n}.txt", some_text(1001)) for n in range(20)])
    expect_title(page, "0 uploaded, 20 failed")
    expect(page.locator("[data-failures] li").first).to_contain_text("larger than 100 MB")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "/static/" not in url] == []


def test_what_failed_and_is_chosen_again_is_counted_and_listed_once(page: Page) -> None:
    page.evaluate("document.querySelector('[data-drop]').dataset.most = '1000'")
    for _time in range(2):
        page.locator("#file").set_input_files(
            [chosen(f"{n}.txt", some_text(1001)) for n in range(5)]
        )
        expect_title(page, "0 uploaded, 5 failed")
        expect(page.locator("[data-failures] li")).to_have_count(5)
        expect(page.locator("#file")).to_have_value("")
    page.locator("#file").set_input_files(chosen_list("0.txt", "1.txt"))
    expect_title(page, "2 uploaded, 3 failed")


def test_a_sent_file_can_no_longer_be_stopped(page: Page, responses: Responses) -> None:
    page.locator("#file").set_input_files([chosen("sent.txt", b"a river")])
    expect(page.locator("[data-figures]")).to_have_text("checking…")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Close")).to_be_hidden()
    responses.release()
    expect_title(page, "1 uploaded")


def test_stopping_does_not_affect_sent_files(page: Page, responses: Responses) -> None:
    page.locator("#file").set_input_files([chosen("early.txt", b"a river")])
    expect(page.locator("[data-figures]")).to_have_text("checking…")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    responses.network.send("Network.emulateNetworkConditions", slow)
    page.locator("#file").set_input_files([chosen("late.txt", some_text(2 << 20))])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_stopped(page, "late.txt")
    responses.release()
    expect_title(page, "1 uploaded, 1 stopped")
    assert "early.txt" in notes(page)


def test_files_whose_response_is_lost_are_sent_again_and_stored_once(
    page: Page, responses: Responses
) -> None:
    page.evaluate(RECORD_FIGURES)
    page.locator("#file").set_input_files(chosen_list("lost.txt", "lost too.txt"))
    responses.drop()
    for _number in range(2):
        responses.release()
    expect_title(page, "2 uploaded")
    shown = page.evaluate("window.figures")
    assert any("Connection lost. Trying again in" in text for text in shown)
    assert "Version" not in notes(page)
    expect_listed(page, "lost too.txt")


def test_what_the_response_does_not_confirm_is_not_uploaded(page: Page) -> None:
    def forget(route: Route) -> None:
        answer = route.fetch()
        files = [file for file in answer.json()["files"] if file["path"] != "forgotten.txt"]
        route.fulfill(response=answer, body=json.dumps({"files": files}))

    page.route("**/upload?f=*", forget, times=1)
    page.locator("#file").set_input_files(chosen_list("named.txt", "forgotten.txt"))
    expect_title(page, "2 uploaded")
    assert "Version" not in notes(page)


def test_one_file_that_breaks_its_request_does_not_take_others_down(page: Page) -> None:
    page.clock.install()
    page.route(
        "**/upload?f=*",
        lambda route: route.abort() if is_sent(route, "bad.txt") else route.continue_(),
    )
    page.locator("#file").set_input_files(chosen_list("a.txt", "bad.txt", "c.txt"))
    expect(page.locator("[data-figures]")).to_contain_text("Connection lost.")
    failures = page.locator("[data-failures] li")
    wait_until(failures.count, lambda: page.clock.run_for(5000))
    expect_title(page, "2 uploaded, 1 failed")
    expect_failure(page, "bad.txt", "Connection lost.")


def test_without_a_connection_the_upload_pauses_and_goes_on(page: Page) -> None:
    page.clock.install()
    page.route("**/upload?f=*", lambda route: route.abort())
    many = [chosen(f"away{number}.txt", some_text(300_000)) for number in range(6)]
    page.locator("#file").set_input_files(many)
    note = page.get_by_text("The server cannot be reached. The upload is paused.")
    wait_until(note.is_visible, lambda: page.clock.run_for(5000))
    expect(page.locator("[data-title]")).to_contain_text("Paused, 0 of 6 uploaded")
    page.unroute("**/upload?f=*")
    page.get_by_role("button", name="Resume").click()
    page.clock.run_for(3000)
    page.locator("[data-failures] button").last.click()
    expect_title(page, "6 uploaded")


def test_a_busy_server_is_given_the_time_that_it_asks_for(page: Page) -> None:
    times: list[float] = []

    def refuse(route: Route) -> None:
        times.append(page.evaluate("performance.now()"))
        if len(times) > 1:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "4"}, body='{"error": "later"}')

    page.route("**/upload?f=*", refuse)
    page.locator("#file").set_input_files(chosen_list("a.txt", "b.txt"))
    expect(page.locator("[data-figures]")).to_contain_text("The server is busy. Trying again in")
    expect_title(page, "2 uploaded")
    assert len(times) == 2
    assert times[1] - times[0] >= 4000


def test_a_file_whose_owner_is_locked_is_tried_again_when_the_server_says(page: Page) -> None:
    answers: list[int] = []
    refusal = {"path": "locked.txt", "kept": False, "problem": "locked", "status": 409}
    locked = json.dumps({"message": "", "files": [{**refusal, "retry_after": 3}]})

    def refuse(route: Route) -> None:
        answers.append(page.evaluate("performance.now()"))
        if len(answers) > 1:
            route.continue_()
        else:
            route.fulfill(status=409, headers={"Retry-After": "3"}, body=locked)

    page.route("**/upload?f=*", refuse)
    page.locator("#file").set_input_files(chosen_list("locked.txt"))
    expect_title(page, "1 uploaded")
    assert answers[1] - answers[0] >= 3000


def test_what_is_chosen_again_after_a_failure_is_not_counted_as_uploaded(page: Page) -> None:
    both = [chosen("again.txt", b"once"), chosen("bad.png", b"MZ")]
    page.locator("#file").set_input_files(both)
    expect_title(page, "1 uploaded, 1 failed")
    page.locator("#file").set_input_files(both)
    expect_title(page, "1 uploaded, 1 already there, 1 failed")
    page.locator("#file").set_input_files(chosen_list("third.txt"))
    expect_title(page, "2 uploaded, 1 already there, 1 failed")


def test_an_upload_says_how_much_it_is_and_when_it_has_ended(page: Page) -> None:
    sent: list[bytes] = []

    def note(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.continue_()

    page.route("**/upload?f=*", note)
    with page.expect_request("**/upload/end") as ended:
        page.locator("#file").set_input_files(chosen_list("one.txt", "three.txt"))
    for name, value in ((b"files", b"2"), (b"bytes", b"16")):
        assert b'name="%s"\r\n\r\n%s\r\n' % (name, value) in sent[0]
    response = ended.value.response()
    assert response
    assert response.status == 204
    other = page.context.new_page()
    other.goto("/")
    feed = other.locator(".feed li").filter(has_text="one.txt and 1 more").first
    expect(feed.get_by_role("button")).to_have_text("Undo")
    other.close()


def test_after_a_new_sign_in_the_upload_goes_on(open_as: OpenAs) -> None:
    page = open_as(None).new_page()

    def sign_in(page: Page) -> None:
        page.get_by_label("Name").fill("editor")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    page.goto("/login?next=/files")
    sign_in(page)
    page.wait_for_url("**/files")
    page.context.clear_cookies()
    page.locator("#file").set_input_files(chosen_list("before.txt", "after.txt"))
    expect(page.locator("[data-note]")).to_contain_text("You were signed out.")
    expect_title(page, "Paused, 0 of 2 uploaded")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-note]")).to_contain_text("You are not signed in yet.")
    with page.context.expect_page() as opened:
        page.locator("[data-note]").get_by_role("link", name="Sign in").click()
    sign_in(opened.value)
    opened.value.wait_for_url(re.compile(r"^(?!.*login)"))
    page.get_by_role("button", name="Resume").click()
    expect_title(page, "2 uploaded")
    expect_listed(page, "after.txt")


def test_leaving_is_warned_of_only_while_something_is_under_way(
    page: Page, responses: Responses
) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("heading", name="Files").click()  # browsers ask only those who did something
    page.locator("#file").set_input_files([chosen("leaving.txt", b"x")])
    expect(page.locator("[data-figures]")).to_have_text("checking…")
    page.close(run_before_unload=True)
    responses.release()
    expect_title(page, "1 uploaded")
    assert asked == ["beforeunload"]
    page.close(run_before_unload=True)
    page.wait_for_event("close")
    assert asked == ["beforeunload"]


def test_a_folder_that_the_form_names_is_sent_with_each_request(page: Page) -> None:
    page.evaluate(
        """() => {
            const field = document.createElement("input");
            document.querySelector("[data-drop]").append(Object.assign(field, {name: "into"}));
            field.value = "7";
        }"""
    )
    bodies: list[bytes] = []

    def read(route: Route) -> None:
        bodies.append(route.request.post_data_buffer or b"")
        route.continue_()

    page.route("**/upload?f=*", read)
    page.locator("#file").set_input_files([chosen("into.txt", b"x")])
    expect_title(page, "1 uploaded")
    assert b'name="into"\r\n\r\n7\r\n' in bodies[0]


def test_nothing_is_dropped_on_a_touch_screen(open_as: OpenAs) -> None:
    page = open_as("editor", has_touch=True, is_mobile=True).new_page()
    page.goto("/files")
    expect(page.get_by_text("Drop files")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()


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
    row = page.locator("[data-failures] li")
    expect(row).to_contain_text("This folder could not be read.")
    expect(row.get_by_role("button")).to_be_hidden()


def test_stop_holds_for_folders_that_are_still_to_be_read(page: Page) -> None:
    page.evaluate(SLOW_FOLDER)
    restore = slow_down(page, 20_000)
    zone = page.locator("[data-drop]").element_handle()
    page.evaluate(DROP, [zone, [["outer", ""]]])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_stopped(page, "outer/first.txt")
    restore()
    page.evaluate("window.openInner()")
    expect_stopped(page, "outer/inner/second.txt")
    expect_title(page, "0 uploaded, 2 stopped")


def test_a_folder_that_is_read_later_is_of_the_same_upload(page: Page) -> None:
    page.evaluate(SLOW_FOLDER)
    zone = page.locator("[data-drop]").element_handle()
    page.evaluate(DROP, [zone, [["early", ""]]])
    expect_title(page, "1 uploaded")
    page.evaluate("window.openInner()")
    expect_title(page, "2 uploaded")


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
