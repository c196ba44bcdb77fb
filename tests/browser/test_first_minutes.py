"""The set-up page, and the start page that follows it."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, expect

from tests import servers
from tests.browser.test_every_page import DESK, SCROLLS_SIDEWAYS, SIZES, violations
from tests.conftest import need
from tests.factories import PASSWORD


@pytest.fixture(scope="module")
def unclaimed() -> Iterator[servers.Instance]:
    """An instance without an administrator."""
    need(servers.REDIS, "redis-server or valkey-server")
    with (
        servers.short_folder("first") as folder,
        servers.started(folder, WEB_WORKERS="1") as instance,
    ):
        yield instance


# `make test` has each size and each language once, `make soak` all pairs.
IN_TEST = {("phone", "en"), ("desk", "zh-CN")}


@pytest.mark.parametrize(
    ("size", "language"),
    [
        pytest.param(*pair, marks=[] if pair in IN_TEST else [pytest.mark.soak])
        for pair in product(SIZES, ("en", "zh-CN"))
    ],
)
def test_set_up_page_is_accessible(unclaimed, chromium: Browser, size, language):
    context = chromium.new_context(locale=language, reduced_motion="reduce", **SIZES[size])
    page = context.new_page()
    page.goto(unclaimed.base + unclaimed.setup_path)
    assert violations(page) == []
    assert not page.evaluate(SCROLLS_SIDEWAYS)
    context.close()


def test_set_up_leads_to_the_start_page(unclaimed, chromium: Browser):
    """The last test of the module: it claims the instance."""
    context = chromium.new_context(locale="en", **DESK)
    page = context.new_page()
    page.goto(unclaimed.base + unclaimed.setup_path)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    expect(page.get_by_label("Add the 418 sample cities of China")).to_be_checked()
    page.get_by_role("button", name="Create administrator").click()
    expect(page).to_have_url(f"{unclaimed.base}/")
    expect(page.get_by_text("You added 418 cities")).to_be_visible()
    response = page.goto(unclaimed.base + unclaimed.setup_path)
    assert response.status == 404
    context.close()
