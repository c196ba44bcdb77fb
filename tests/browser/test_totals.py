"""The totals of the page "At a glance"."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenAs

# A total of another length is written by the test: the register of the site is small.
LONG = ["10,694,188,000", "1,069,418,800,000", "9,223,372,036,854,775,807"]


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_numbers_are_not_cut_and_six_tiles_fill_their_rows(open_as: OpenAs, width: int) -> None:
    page = open_as("admin", viewport={"width": width, "height": 900}).new_page()
    page.goto("/cities/glance")
    tiles = page.locator(".stats > .stat")
    expect(tiles).to_have_count(6)
    rows = [tile.bounding_box()["y"] for tile in tiles.all()]
    assert {rows.count(row) for row in rows} == {2 if width == 390 else 3}
    value = tiles.first.locator(".value")
    for text in LONG:
        style = "longest" if len(text) > 18 else "long"
        value.evaluate(
            "(dd, [text, style]) => { dd.textContent = text; dd.className = `value ${style}`; }",
            [text, style],
        )
        assert value.evaluate("dd => dd.scrollWidth <= dd.clientWidth"), text
