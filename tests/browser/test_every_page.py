"""Every page is accessible, logs no errors, loads nothing from other sites, does not move while it
loads nor scroll sideways, has its title at one height, a dark scheme, and shows the focus."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import open_window
from tests.browser.pages import PAGES, Visit
from tests.browser.steadiness import assert_steady, observe
from tests.site import Site

AXE = Path(AXE_FILE_PATH).read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"type": "tag", "values": TAGS}
COLOUR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
VIEWER = ("chrome-extension://", "chrome://")  # what draws a PDF is a part of the browser
DESK = {"viewport": {"width": 1440, "height": 900}}
SIZES = {"phone": PHONE, "desk": DESK}

# Only the violations leave the browser: what satisfies a rule is ten times as much.
RUN_AXE = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(
  found => found.violations.flatMap(v =>
    v.nodes.map(node => `${v.id}: ${node.target} ${node.html.slice(0, 100)}`)))"""

SCROLLS_SIDEWAYS = """() =>
  document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"""
# Of a title that follows nothing but the bar and a breadcrumb; None for others.
TITLE_TOP = """() => {
  const title = document.querySelector('main > .head > h1, main > :not(.notice):first-child h1');
  const above = document.querySelector('main > .notice, main .narrow');
  return title && !above ? title.getBoundingClientRect().top : null;
}"""
TITLE_TOPS = {"phone": 84, "desk": 96}
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"

FOCUSED = """() => {
  const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  const ring = (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0);
  return {name: e.outerHTML.slice(0, 120), ring, seen: r.width > 0 && r.height > 0};
}"""
# After a key, elements that get the focus from a script show it too.
FOCUS_EACH = f"""() => {{
  const stops = 'a, button, input, select, textarea, summary, [tabindex]';
  return [...document.querySelectorAll(stops)].filter(e => {{
    if (e.tabIndex >= 0) e.focus();
    return e.tabIndex >= 0 && e === document.activeElement;
  }}).map(e => {{
    e.focus();
    return ({FOCUSED})();
  }});
}}"""


def violations(page: Page) -> list[str]:
    """The violations that axe finds in the light scheme, and those by colours in the dark one, one
    line each. The page stays in the dark scheme."""
    page.evaluate(AXE)
    found = []
    for scheme, rules in (("light", ALL_RULES), ("dark", COLOUR_RULES)):
        page.emulate_media(color_scheme=scheme)
        assert (page.evaluate(BACKGROUND) == "rgb(18, 22, 27)") is (scheme == "dark")
        found += page.evaluate(RUN_AXE, rules)
    return found


Windows = Callable[[str | None, str], BrowserContext]


@pytest.fixture(scope="module")
def window(chromium: Browser, site: Site) -> Iterator[Windows]:
    """The window of a person in a size: window("editor", "phone"). The tests share it, because a
    new one loads the styles and scripts again."""
    opened: dict[tuple[str | None, str], BrowserContext] = {}

    def open_once(role: str | None, size: str) -> BrowserContext:
        if (role, size) not in opened:
            opened[role, size] = open_window(chromium, site, role, **SIZES[size])
            observe(opened[role, size])
        return opened[role, size]

    yield open_once
    for context in opened.values():
        context.close()


@pytest.fixture
def page(window: Windows, visit: Visit, size: str) -> Iterator[Page]:
    """A tab for a visit."""
    page = window(visit.role, size).new_page()
    yield page
    page.close()


@pytest.mark.parametrize("visit", PAGES, ids=[visit.name for visit in PAGES])
@pytest.mark.parametrize("size", SIZES)
def test_page_is_accessible_and_logs_no_errors(visit, size, site, page):
    errors, foreign = [], []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on(
        "request",
        lambda r: (
            foreign.append(r.url) if not r.url.startswith((site.base, "data:", *VIEWER)) else None
        ),
    )
    assert visit.open(site, page) == visit.status
    assert_steady(page)
    assert page.evaluate(TITLE_TOP) in (None, TITLE_TOPS[size])
    assert violations(page) == []
    # Chromium logs pages whose status is an error.
    assert [m for m in errors if not re.search(r"status of 4", m)] == []
    assert foreign == []
    assert not page.evaluate(SCROLLS_SIDEWAYS)
    if size == "desk":
        assert_focus_is_visible(visit, page)


def assert_focus_is_visible(visit: Visit, page: Page) -> None:
    """Check that the first Tab shows the link that skips the navigation, and that every element
    shows when it has the focus."""
    page.evaluate("() => document.activeElement?.blur()")
    page.keyboard.press("Tab")
    first, *others = page.evaluate(f"() => [({FOCUSED})(), ...({FOCUS_EACH})()]")
    # If an element has the focus from the start, Tab continues after it.
    assert visit.focused or "skip" in first["name"]
    assert len(others) > 5
    for focused in (first, *others):
        assert focused["ring"], focused["name"]
        assert focused["seen"], focused["name"]
