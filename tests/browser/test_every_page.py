"""Every page is accessible, logs no errors, loads nothing from other sites, does not move while it
loads nor scroll sideways, has its title at one height, a dark scheme, and shows the focus."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, CDPSession, Page

from tests.browser.conftest import open_window
from tests.browser.pages import PAGES, Visit
from tests.browser.steadiness import assert_steady, observe, short_tasks
from tests.site import Site

AXE = Path(AXE_FILE_PATH).read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"type": "tag", "values": TAGS}
COLOURS = ["color-contrast", "link-in-text-block"]
COLOUR_RULES = {"type": "rule", "values": COLOURS}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
VIEWER = ("chrome-extension://", "chrome://")  # what draws a PDF is a part of the browser
DESK = {"viewport": {"width": 1440, "height": 900}}
SIZES = {"phone": PHONE, "desk": DESK}
# What has other colours on a phone than on a desk, or is shown there only.
PHONE_COLOURS = ".cards, .on-phone"
# What may be violated in one size alone where the same elements are shown.
SIZE_RULES = {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}
SHOWN = """() => [...document.querySelectorAll('main *')].map(
  e => +e.checkVisibility({visibilityProperty: true})).join('')"""
METRICS = {
    "phone": {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    "desk": {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False},
}
IS_PHONE = "matchMedia('(pointer: coarse)').matches"
# States of a page, and a visit that has the same templates. `make soak` opens them; those of
# OWN_ELEMENTS have elements, classes or ARIA attributes that no other visit has, or others in their
# order, and `make test` opens them too.
SAME_TEMPLATES = {
    "start-admin": "start",
    "search-empty": "search-none",
    "login-ended": "login",
    "login-out": "login",
    "login-draft": "login",
    "cities-viewer": "cities",
    "cities-flawed": "cities",
    "city-new": "city-refused",
    "city-added": "city-saved",
    "city-flawed": "city-edit",
    "city-restored": "city-saved",
    "cities-removed-none": "cities-none",
    "import-applied": "city-saved",
    "files-viewer": "files",
    "file-viewer": "file",
    "file-scripted": "file-broken",
    "file-drawing": "file-broken",
    "file-current": "file-versions",
    "folder-viewer": "folder",
    "folder-new": "folder-refused",
    "folder-move": "files-move",
    "files-move-refused": "folder-refused",
    "folder-search": "folder",
    "folder-was-removed": "file-was-removed",
    "files-removed-empty": "cities-removed-empty",
    "tokens": "token-made",
    "numbers-large": "numbers-pi",
    "session": "session-value",
    "account-sessions": "account",
    "password": "password-refused",
    "password-first": "password-refused",
    "people-none": "cities-none",
    "person-new": "person-refused",
    "person-self": "person",
    "person-disabled": "person",
    "history-none": "cities-none",
    "forbidden": "missing",
}
OWN_ELEMENTS = {
    "start-admin", "login-draft", "cities-viewer", "city-flawed", "files-viewer", "folder-search",
    "account-sessions",
}  # fmt: skip

# Only the violations leave the browser: what satisfies a rule is ten times as much.
RUN_AXE = """([rules, without]) => axe.run(document, {
  runOnly: rules, resultTypes: ['violations'],
  rules: Object.fromEntries(without.map(rule => [rule, {enabled: false}])),
}).then(
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
# Of rows with the same elements, classes and attributes the first three stay: axe looks at each of
# them for as long as at a whole form.
REMOVE_REPEATS = """() => {
  const kind = e => e.localName + e.getAttributeNames() + e.className + [...e.children].map(kind);
  for (const list of document.querySelectorAll('main :is(tbody, ul, ol)')) {
    const seen = {};
    for (const row of [...list.children]) {
      const same = kind(row);
      seen[same] = (seen[same] ?? 0) + 1;
      if (seen[same] > 3) row.remove();
    }
  }
}"""
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
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = []
    for scheme, rules in (("light", ALL_RULES), ("dark", COLOUR_RULES)):
        page.emulate_media(color_scheme=scheme)
        assert (page.evaluate(BACKGROUND) == "rgb(18, 22, 27)") is (scheme == "dark")
        found += page.evaluate(RUN_AXE, [rules, []])
    return found


@dataclass
class Tab:
    """A tab that can be turned from a desk to a phone while it shows a page: what differs is
    decided by style sheets alone."""

    page: Page
    emulation: CDPSession
    bar_is_checked: bool = False  # as it is on a phone

    def become(self, size: str) -> None:
        """Have the size, the pointer and the touch screen of a phone, or those of a desk."""
        phone = size == "phone"
        self.emulation.send("Emulation.setDeviceMetricsOverride", METRICS[size])
        self.emulation.send("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        self.page.wait_for_function(f"{IS_PHONE} === {str(phone).lower()}")


Tabs = Callable[[str | None], Tab]


@pytest.fixture(scope="module")
def tab_of(chromium: Browser, site: Site) -> Iterator[Tabs]:
    """The tab of a person: tab_of("editor"). The tests share it, because a new one starts a process
    and loads the styles and scripts again. Its pages have axe from the start: to send it to each
    takes longer."""
    opened: dict[str | None, Tab] = {}

    def open_once(role: str | None) -> Tab:
        if role not in opened:
            page = open_window(chromium, site, role, no_viewport=True).new_page()
            observe(page)
            page.add_init_script(AXE)
            opened[role] = Tab(page, page.context.new_cdp_session(page))
        return opened[role]

    yield open_once
    for tab in opened.values():
        tab.page.context.close()


@dataclass
class Noise:
    """What a tab logs and asks for during a test."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listeners(self) -> dict[str, Callable[[Any], None]]:
        """By the name of the event."""
        return {
            "console": lambda m: self.errors.append(m.text) if m.type == "error" else None,
            "pageerror": lambda e: self.errors.append(str(e)),
            "request": lambda r: self.requests.append(r.url),
        }


@pytest.fixture
def tab(tab_of: Tabs, visit: Visit, first: str) -> Tab:
    """The tab of who makes a visit, in the light scheme and the size to open the page in."""
    tab = tab_of(visit.role)
    tab.page.emulate_media(color_scheme="light")
    tab.become(first)
    return tab


@pytest.fixture
def page(tab: Tab) -> Page:
    return tab.page


@pytest.fixture
def noise(page: Page) -> Iterator[Noise]:
    noise = Noise()
    listeners = noise.listeners()
    for name, listener in listeners.items():
        page.on(name, listener)  # type: ignore[call-overload]
    yield noise
    for name, listener in listeners.items():
        page.remove_listener(name, listener)


def visits() -> Iterator[Any]:
    """Each page, opened on a desk; `make soak` opens it on a phone too."""
    for first, visit in product(SIZES, PAGES):
        in_test = visit.name not in SAME_TEMPLATES or visit.name in OWN_ELEMENTS
        marks = [] if in_test and first == "desk" else [pytest.mark.soak]
        yield pytest.param(visit, first, id=f"{first}-{visit.name}", marks=marks)


def test_pages_that_are_left_out_are_like_one_that_is_not():
    names = {visit.name for visit in PAGES}
    assert set(OWN_ELEMENTS) <= set(SAME_TEMPLATES) <= names
    assert set(SAME_TEMPLATES.values()) <= names - set(SAME_TEMPLATES)


@pytest.mark.parametrize(("visit", "first"), list(visits()))
def test_page_is_accessible_and_logs_no_errors(visit, first, site, tab, page, noise):
    """Opened in one size, turned to the other, and loaded again in that."""
    [second] = set(SIZES) - {first}
    with short_tasks(page):
        assert visit.open(site, page) == visit.status
        assert_steady(page)
    assert_in_place(page, first)
    page.evaluate(REMOVE_REPEATS)
    assert_accessible(visit, tab, first)
    shown = page.evaluate(SHOWN)
    tab.become(second)
    assert_in_place(page, second)
    assert_accessible(visit, tab, second, shown)
    page.reload()
    assert_steady(page)
    assert_in_place(page, second)
    # Chromium logs pages whose status is an error.
    assert [m for m in noise.errors if not re.search(r"status of 4", m)] == []
    ours = (site.base, "data:", *VIEWER)
    assert [url for url in noise.requests if not url.startswith(ours)] == []


def assert_in_place(page: Page, size: str) -> None:
    """The title is where it always is, and nothing is wider than the page."""
    assert page.evaluate(TITLE_TOP) in (None, TITLE_TOPS[size])
    assert not page.evaluate(SCROLLS_SIDEWAYS)


def assert_accessible(visit: Visit, tab: Tab, size: str, shown: str = "") -> None:
    """axe finds nothing, and on a desk the focus is visible. The page is at its top afterwards. A
    phone gets only the rules that may have another result there: of colours where these are others,
    and few if what is `shown` on a desk is all that is shown, and the bar was checked before."""
    page = tab.page
    if size == "desk" or page.locator(PHONE_COLOURS).count():
        assert violations(page) == []
    elif tab.bar_is_checked and page.evaluate(SHOWN) == shown:
        assert page.evaluate(RUN_AXE, [SIZE_RULES, []]) == []
    else:
        assert page.evaluate(RUN_AXE, [ALL_RULES, COLOURS]) == []
    if size == "phone":
        tab.bar_is_checked = True
        return
    assert_focus_is_visible(visit, page)
    page.evaluate("scrollTo(0, 0)")


def assert_focus_is_visible(visit: Visit, page: Page) -> None:
    """Check that the first Tab shows the link that skips the navigation, and that every element
    shows when it has the focus."""
    page.evaluate("() => document.activeElement?.blur()")
    page.keyboard.press("Tab")
    in_notice = page.evaluate("() => Boolean(document.activeElement.closest('.notice'))")
    first, *others = page.evaluate(f"() => [({FOCUSED})(), ...({FOCUS_EACH})()]")
    # Tab continues after an element that has the focus from the start, and in a notice.
    assert visit.focused or in_notice or "skip" in first["name"]
    assert len(others) > 5
    for focused in (first, *others):
        assert focused["ring"], focused["name"]
        assert focused["seen"], focused["name"]
