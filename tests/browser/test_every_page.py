"""What must hold on every page: accessible, quiet console, nothing from elsewhere, no sideways
scrolling, the dark scheme is dark, and whoever walks with Tab sees where they are."""

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
    """What axe finds wrong, one line each."""
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )["violations"]
    return [
        f"{v['id']}: {node['target']} {node['html'][:100]}" for v in found for node in v["nodes"]
    ]


@pytest.mark.parametrize("shown", PAGES, ids=[shown.name for shown in PAGES])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_page_is_accessible_and_quiet(shown, size, site, open_as):
    for scheme in ("light", "dark"):
        context = open_as(shown.role, color_scheme=scheme, **(PHONE if size == "phone" else DESK))
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
        assert shown.open(site, page) == shown.status
        assert violations(page) == []
        # Chromium itself reports a page whose status is an error.
        assert [m for m in spoken if not re.search(r"status of 4", m)] == []
        assert foreign == []
        assert page.evaluate(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
        )
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(18, 22, 27)") is (scheme == "dark")


@pytest.mark.parametrize("shown", PAGES, ids=[shown.name for shown in PAGES])
def test_focus_is_always_seen(shown, site, open_as):
    page = open_as(shown.role, **DESK).new_page()
    shown.open(site, page)
    page.evaluate("() => document.activeElement && document.activeElement.blur()")
    for step in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUS)
        if focused is None:
            break
        assert focused["ring"], focused["name"]
        assert focused["seen"], focused["name"]
        # Where a field or a message has the focus already, the next stop is behind it.
        if step == 0 and not shown.focused:
            assert "skip" in focused["name"]
