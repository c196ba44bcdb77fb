"""Every page is accessible, logs no errors, loads nothing from other sites, does not scroll
sideways, has a dark scheme, and shows the focus."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.pages import PAGES

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
    """The violations that axe finds, one line each."""
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )["violations"]
    return [
        f"{v['id']}: {node['target']} {node['html'][:100]}" for v in found for node in v["nodes"]
    ]


@pytest.mark.parametrize("visit", PAGES, ids=[visit.name for visit in PAGES])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_page_is_accessible_and_logs_no_errors(visit, size, site, open_as):
    for scheme in ("light", "dark"):
        context = open_as(visit.role, color_scheme=scheme, **(PHONE if size == "phone" else DESK))
        page = context.new_page()
        errors, foreign = [], []
        page.on("console", lambda m, s=errors: s.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e, s=errors: s.append(str(e)))
        page.on(
            "request",
            lambda r, f=foreign: (
                f.append(r.url) if not r.url.startswith((site.base, "data:")) else None
            ),
        )
        assert visit.open(site, page) == visit.status
        assert violations(page) == []
        # Chromium logs pages whose status is an error.
        assert [m for m in errors if not re.search(r"status of 4", m)] == []
        assert foreign == []
        assert page.evaluate(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
        )
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(18, 22, 27)") is (scheme == "dark")


@pytest.mark.parametrize("visit", PAGES, ids=[visit.name for visit in PAGES])
def test_focus_is_always_visible(visit, site, open_as):
    page = open_as(visit.role, **DESK).new_page()
    visit.open(site, page)
    page.evaluate("() => document.activeElement && document.activeElement.blur()")
    for step in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUS)
        if focused is None:
            break
        assert focused["ring"], focused["name"]
        assert focused["seen"], focused["name"]
        # If an element has the focus from the start, Tab continues after it.
        if step == 0 and not visit.focused:
            assert "skip" in focused["name"]
