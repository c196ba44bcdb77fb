"""What must hold on every page: accessible, quiet console, nothing from elsewhere, no sideways
scrolling, the dark scheme is dark, and whoever walks with Tab sees where they are."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.site import PAGES

AXE = Path(AXE_FILE_PATH).read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}}

FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  const ring = (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0);
  return {name: e.outerHTML.slice(0, 120), ring, seen: r.width > 0 && r.height > 0};
}"""


def violations(page: Page) -> list[str]:
    """What axe finds wrong, one line each."""
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )["violations"]
    return [
        f"{v['id']}: {node['target']} {node['html'][:100]}" for v in found for node in v["nodes"]
    ]


@pytest.mark.parametrize(("name", "role", "path"), PAGES, ids=[page[0] for page in PAGES])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_page_is_accessible_and_quiet(name, role, path, size, site, open_as):
    for scheme in ("light", "dark"):
        context = open_as(role, color_scheme=scheme, **(PHONE if size == "phone" else DESK))
        page = context.new_page()
        spoken, foreign = [], []
        page.on("console", lambda m, s=spoken: s.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e, s=spoken: s.append(str(e)))
        page.on(
            "request",
            lambda r, f=foreign: (
                f.append(r.url) if not r.url.startswith((site.base, "data:")) else None
            ),
        )
        answer = page.goto(path.format(import_path=site.import_path))
        assert urlsplit(page.url).path == urlsplit(path.format(import_path=site.import_path)).path
        expected = {"missing": 404, "forbidden": 403}.get(name, 200)
        assert answer.status == expected
        assert violations(page) == []
        # Chromium itself reports a page whose status is an error.
        assert [m for m in spoken if not re.search(r"status of (403|404)", m)] == []
        assert foreign == []
        assert page.evaluate(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
        )
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(18, 22, 27)") is (scheme == "dark")


@pytest.mark.parametrize(("name", "role", "path"), PAGES, ids=[page[0] for page in PAGES])
def test_focus_is_always_seen(name, role, path, site, open_as):
    page = open_as(role, **DESK).new_page()
    page.goto(path.format(import_path=site.import_path))
    page.evaluate("() => document.activeElement && document.activeElement.blur()")
    for step in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUS)
        if focused is None:
            break
        assert focused["ring"], focused["name"]
        assert focused["seen"], focused["name"]
        # Where the first field has the focus already, the next stop is behind it.
        if step == 0 and name not in ("login", "city-new"):
            assert "skip" in focused["name"]
