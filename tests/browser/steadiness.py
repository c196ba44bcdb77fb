"""How steady a page is while it loads: shifts of its layout, and tasks that block it."""

import time
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Page

SHIFT_MOST = 0.01  # cumulative layout shift
TASK_MOST = 2_000  # ms; on a machine that is doing much else
# Scripts come this late, so that the page is painted before them.
SCRIPTS_AFTER = 0.15

OBSERVE = """(() => {
  window.steadiness = ['layout-shift', 'longtask'].map(type => {
    const seen = [];
    const observer = new PerformanceObserver(list => seen.push(...list.getEntries()));
    observer.observe({type, buffered: true});
    return () => [...seen, ...observer.takeRecords()];
  });
})()"""
SHIFTS = """() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
  const [shifts] = window.steadiness;
  resolve(shifts().filter(shift => !shift.hadRecentInput).map(shift => [shift.value,
    ...shift.sources.map(({node}) => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 99))]));
})))"""
TASKS = "() => window.steadiness[1]().map(task => task.duration)"


def observe(page: Page) -> None:
    """Have what a tab loads observed, and its scripts late: they come after the first paint. One of
    them is enough, because the others wait behind it. Not by a route of Playwright, which turns the
    cache of the browser off."""
    page.add_init_script(OBSERVE)
    network = page.context.new_cdp_session(page)

    def delay(paused: dict[str, Any]) -> None:
        time.sleep(SCRIPTS_AFTER)
        with suppress(Error):  # the page may have been left
            network.send("Fetch.continueRequest", {"requestId": paused["requestId"]})

    network.on("Fetch.requestPaused", delay)
    network.send("Fetch.enable", {"patterns": [{"urlPattern": "*/js/page.js"}]})


def assert_steady(page: Page) -> None:
    """Nothing has moved since the first paint, and no task has taken long."""
    shifts = page.evaluate(SHIFTS)
    assert sum(shift[0] for shift in shifts) < SHIFT_MOST, shifts
    assert max(page.evaluate(TASKS), default=0) < TASK_MOST
