"""Files that would like to run something, in a real browser: nothing of them runs, whether they are
looked at in their page, in a list, or opened alone. Meanwhile the site answers."""

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import open_window
from tests.browser.pages import submit
from tests.browser.steadiness import OBSERVE, assert_steady
from tests.files.helpers import PNG
from tests.files.preview.helpers import ACTION, TRICKS, encoded, landscape, pdf
from tests.files.preview.test_child import OUTLINES, PICTURE, header_of
from tests.servers import wait_until
from tests.site import Site

# What a script would do: say so, and ask another server.
EVIL = "alert('ran'); console.log('ran'); fetch('http://127.0.0.1:9/ran'); document.title = 'ran'"
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" onload="{EVIL}" width="100" height="100">
<script>{EVIL}</script><image href="http://127.0.0.1:9/ran"/><foreignObject>
<iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:{EVIL}"/></foreignObject></svg>"""
HTML_PAGE = f"""<!doctype html><script>{EVIL}</script><img src=x onerror="{EVIL}">
<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/ran"><body onload="{EVIL}">"""
# What a browser gets that opens the preview and the picture alone: the content in a sandbox, a
# refusal, or nothing as there is none of this type.
OPENED = {
    ".wav": (200, 404), ".mp4": (200, 404), ".pdf": (422, 404),
    ".gif": (404, 422), ".png": (404, 422),
}  # fmt: skip
HOSTILE = {
    "drawing.svg": SVG.encode(),
    "page.html": HTML_PAGE.encode(),
    "page.xhtml": HTML_PAGE.encode(),
    "page.txt": HTML_PAGE.encode(),
    "table.csv": f"</td><script>{EVIL}</script>,b\n=cmd|' /C calc'!A0,2\n".encode(),
    "script.pdf": pdf(ACTION),
    "page.wav": b"RIFF\xff\xff\0\0WAVE" + HTML_PAGE.encode(),
    "page.mp4": b"\0\0\0\x18ftypmp42" + HTML_PAGE.encode(),
    "page.gif": b"GIF89a/*" + HTML_PAGE.encode(),
    "torn.png": PNG[:40],
    "bomb.png": header_of(30_000, 30_000),
    "packed.pdf": TRICKS["packed"],
    "far.pdf": TRICKS["far"],
}  # fmt: skip
# What the application answers in the same way as another: `make test` opens that one in a browser,
# `make soak` both.
SAME_IN_KIND = {
    "page.xhtml": "page.html",
    "page.txt": "page.html",
    "table.csv": "page.html",
    "page.wav": "page.mp4",
    "bomb.png": "torn.png",
    "far.pdf": "packed.pdf",
}


def add(site: Site, name: str, content: bytes) -> int:
    """Upload a file; returns its id."""
    files = [("file", (name, content))]
    done = site.send("editor", "/upload", page="/files", files=files).text
    found = re.search(r'href="/files/(\d+)/details"', done)
    assert found, done
    return int(found[1])


@pytest.fixture(scope="module")
def window(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """The window of a viewer, which the tests share."""
    window = open_window(chromium, site, "viewer")
    yield window
    window.close()


@pytest.fixture
def watched(window: BrowserContext) -> Iterator[tuple[Page, list[str]]]:
    """A new tab, and what happened in it that should not."""
    page = window.new_page()
    happened: list[str] = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: happened.append(said.text) if said.text == "ran" else None)
    page.on("popup", lambda popup: happened.append(f"popup {popup.url}"))
    page.on(
        "request", lambda request: happened.append(request.url) if ":9/" in request.url else None
    )
    yield page, happened
    page.close()


def settle(page: Page) -> None:
    """Wait until a page of ours with its frames is loaded and drawn, and the browser has nothing
    left to do: what runs by itself has begun by then. The viewer of documents may not have, as it
    is a process of its own; the status shows that no document gets to it."""
    page.wait_for_load_state("load")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestIdleCallback(done)))")


def hostile() -> Iterator[Any]:
    """The name of each file."""
    assert set(SAME_IN_KIND.values()) <= set(HOSTILE) - set(SAME_IN_KIND)
    for name in HOSTILE:
        yield pytest.param(name, marks=[pytest.mark.soak] if name in SAME_IN_KIND else [])


@pytest.mark.parametrize("name", list(hostile()))
def test_nothing_of_a_file_runs(site, watched, name):
    page, happened = watched
    file_id = add(site, name, HOSTILE[name])
    page.goto(f"{site.base}/files/{file_id}/details")
    settle(page)
    assert "ran" not in page.title()
    statuses = []
    for address in ("preview/x", "picture/1200", "picture/64"):
        statuses.append(page.goto(f"{site.base}/files/{file_id}/{address}").status)
        page.wait_for_timeout(300)  # in a sandbox no callback of ours runs either
        assert "ran" not in page.title()
    assert tuple(statuses[:2]) == OPENED.get(Path(name).suffix, (404, 404))
    page.goto(f"{site.base}/files?q={name}")
    settle(page)
    assert happened == []


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_shows_a_document_with_a_script(site, trick):
    file_id = add(site, f"{trick}.pdf", TRICKS[trick])
    address = f"{site.base}/files/{file_id}/preview/x"
    assert site.clients["viewer"].get(address, timeout=60).status_code == 422


@pytest.mark.parametrize("trick", ["packed", "far", "above"])
def test_without_the_check_it_would_run(watched, tmp_path, trick):
    """Otherwise the tests above would prove nothing."""
    page, happened = watched
    (tmp_path / "trick.pdf").write_bytes(TRICKS[trick])
    page.goto(f"file://{tmp_path}/trick.pdf", wait_until="commit")
    for _wait in range(100):
        if happened:
            break
        page.wait_for_timeout(200)
    assert happened == ["ran"]


def test_a_framed_document_is_shown_without_scripts(site, watched):
    """The viewer of the browser draws it in spite of the sandbox, which is why there is a test."""
    page, happened = watched
    file_id = add(site, "plain.pdf", pdf(OUTLINES) + PICTURE)
    with page.expect_response(f"**/files/{file_id}/preview/*") as response:
        page.goto(f"{site.base}/files/{file_id}/details")
    assert response.value.status == 200

    def is_drawn() -> bool:
        page.wait_for_timeout(100)
        return any(frame.url.startswith("chrome-extension://") for frame in page.frames)

    wait_until(is_drawn, "the viewer of the browser to draw it")
    page.goto(f"{site.base}/files/{add(site, 'script.pdf', pdf(ACTION))}/details")
    frame = page.frame_locator("iframe.preview")
    expect(frame.locator("body")).to_contain_text("contains JavaScript")
    page.reload()
    expect(page.locator(".preview.none")).to_contain_text("contains JavaScript")
    assert happened == []


@pytest.mark.parametrize(
    ("name", "sentence"), [("torn.png", "is damaged"), ("bomb.png", "has 900 megapixels")]
)
def test_a_picture_that_cannot_be_shown_says_why_at_once(site, watched, name, sentence):
    page, _happened = watched
    page.goto(f"{site.base}/files/{add(site, name, HOSTILE[name])}/details")
    expect(page.locator(".preview [role=status]")).to_contain_text(sentence)
    expect(page.locator(".preview img")).to_have_count(0)


def test_a_picture_is_shown_and_moves_nothing(site, watched):
    page, _happened = watched
    page.add_init_script(OBSERVE)
    file_id = add(site, "harbour.jpg", encoded(landscape(1600, 900), "JPEG"))
    for path in (f"/files/{file_id}/details", "/files?q=harbour.jpg"):
        page.goto(site.base + path)
        image = page.locator(".preview img, .thumb img").first
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") in (1200, 64)
        assert_steady(page)


def test_in_a_list_a_broken_picture_is_an_icon_without_an_error(site, watched):
    page, _happened = watched
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    add(site, "torn.png", HOSTILE["torn.png"])
    page.goto(f"{site.base}/files?q=torn.png")
    image = page.locator(".thumb img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") == 1
    assert page.locator(".thumb").first.bounding_box()["width"] == 28
    assert errors == []


def test_an_earlier_version_is_made_current(site, open_as):
    page = open_as("editor").new_page()
    for content in (b"first", b"second"):
        site.send("editor", "/upload", page="/files", files=[("file", ("turns.txt", content))])
    page.goto(f"{site.base}/files?q=turns.txt")
    page.locator("td.main a").first.click()
    expect(page.locator(".preview")).to_have_text("second")
    submit(page, "button[formaction$='/current']")
    expect(page.locator(".preview")).to_have_text("first")
    expect(page.locator(".head .quiet")).to_contain_text("version 3")


def test_the_site_answers_while_pictures_are_made(site):
    """Four large pictures, of which two are made at once; the others wait or are told to."""
    made: list[int] = []
    large = Image.effect_noise((4500, 4000), 40)
    buffer = io.BytesIO()
    large.save(buffer, "PNG", compress_level=1)
    files = [add(site, f"large {n}.png", buffer.getvalue()) for n in range(4)]
    cookies = site.clients["viewer"].cookies

    def ask(file_id: int) -> None:
        address = f"{site.base}/files/{file_id}/picture/1200"
        made.append(requests.get(address, cookies=cookies, timeout=120).status_code)

    threads = [threading.Thread(target=ask, args=[file_id]) for file_id in files]
    answered = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert requests.get(f"{site.base}/healthz", timeout=60).status_code == 200
        answered += 1
    for thread in threads:
        thread.join()
    assert set(made) <= {200, 503}
    assert made.count(200) >= 2
    assert answered > 10
