"""Fixtures: Chromium and a running site."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests import servers
from tests.browser.site import CHROMIUM_ARGUMENTS, running_site
from tests.conftest import need
from tests.site import Site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the marker `browser` to every test here."""
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; nothing is downloaded."""
    need(servers.CHROMIUM, "chromium")
    expect.set_options(timeout=60_000)  # the default of 5 s is too short on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=servers.CHROMIUM, args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A site that all browser tests share."""
    need(servers.REDIS, "redis-server or valkey-server")
    with running_site() as site:
        yield site


def open_window(
    chromium: Browser, site: Site, role: str | None, **options: object
) -> BrowserContext:
    """Open a browser window of a person, or of nobody, in the time zone of the site: no page is
    loaded again because it was drawn in another."""
    usual = {"reduced_motion": "reduce", "locale": "en", "timezone_id": "Asia/Shanghai"}
    context = chromium.new_context(base_url=site.base, **{**usual, **options})
    if role:
        context.add_cookies([{"name": "gz", "value": site.cookie(role), "url": site.base}])
    return context


OpenAs = Callable[..., BrowserContext]


@pytest.fixture
def open_as(chromium: Browser, site: Site) -> Iterator[OpenAs]:
    """Opens a browser window of a person: open_as("editor", java_script_enabled=False)."""
    opened = []

    def open_one(role: str | None, **options: object) -> BrowserContext:
        opened.append(open_window(chromium, site, role, **options))
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()


def wait_until(done: Callable[[], object], step: Callable[[], object]) -> None:
    """Take one step after the other until something is true; a minute at most."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, "it did not happen"
        step()
