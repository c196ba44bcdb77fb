"""What the other tests say of steadiness can fail."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenAs
from tests.browser.steadiness import TASK_MOST, WORK, short_tasks


@pytest.fixture
def page(open_as: OpenAs) -> Page:
    page = open_as(None).new_page()
    page.goto("/login")
    return page


def test_a_task_that_works_long_is_noticed(page: Page) -> None:
    with pytest.raises(AssertionError, match="task"), short_tasks(page):
        page.evaluate(WORK, 1.5 * TASK_MOST)


def test_many_short_tasks_are_allowed(page: Page) -> None:
    with short_tasks(page):
        for _ in range(6):
            page.evaluate(WORK, TASK_MOST / 4)
