"""How steady a page is: shifts of its layout while it loads, and tasks that block it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Error, Page

from tests.browser.conftest import wait_until

SHIFT_MOST = 0.01  # cumulative layout shift
# Milliseconds of processor time: what a task waits for does not count, nor while other programs
# have the processor. The longest task of a page takes 10 to 40, and 200 when 3,000 files are
# chosen: those are Chromium's own, which makes an object for each file.
TASK_MOST = 350
# What is shorter than this part of it is short on every machine, and how slow this one is does not
# have to be measured, which takes as long as a small page.
FAST = 1 / 4
# Scripts come this late, so that the page is painted before them.
SCRIPTS_AFTER = 0.15

OBSERVE = """(() => {
  const seen = [];
  const observer = new PerformanceObserver(list => seen.push(...list.getEntries()));
  observer.observe({type: 'layout-shift', buffered: true});
  window.shifts = () => [...seen, ...observer.takeRecords()];
})()"""
SHIFTS = """() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
  resolve(window.shifts().filter(shift => !shift.hadRecentInput).map(shift => [shift.value,
    ...shift.sources.map(({node}) => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 99))]));
})))"""

# Of all that Chromium can record only the tasks: the rest takes longer than the page.
TASKS = "disabled-by-default-devtools.timeline"
TRACE = {"includedCategories": [TASKS], "excludedCategories": ["*"]}
# Works for so many milliseconds on the machine for which TASK_MOST is meant; not in a loop of
# numbers, whose speed depends on how much of it was compiled.
WORK = """(milliseconds) => {
  const text = JSON.stringify(Array.from({length: 500}, (_, number) => ({number, name: 'x'})));
  for (let i = 0; i < milliseconds * 18; i++) JSON.parse(text);
}"""
# How many times as long it takes on this one, by the attempt that nothing has interrupted.
SLOWNESS = f"""() => Math.min(...Array.from({{length: 20}}, () => {{
  const start = performance.now();
  ({WORK})(2);
  return performance.now() - start;
}})) / 2"""


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
    """Nothing has moved since the first paint."""
    shifts = page.evaluate(SHIFTS)
    assert sum(shift[0] for shift in shifts) < SHIFT_MOST, shifts


@contextmanager
def short_tasks(page: Page) -> Iterator[None]:
    """Check that no task of a page takes long while the block runs. Entries `longtask` of the page
    cannot show it: they count the time that passes, which is a second and more on a busy machine.
    """
    browser = page.context.browser
    assert browser
    tracing = browser.new_browser_cdp_session()
    events, ended = list[dict[str, Any]](), list[object]()
    tracing.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    tracing.on("Tracing.tracingComplete", lambda result: ended.append(result))
    tracing.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": TRACE})
    try:
        yield
        page.evaluate("null")  # a task of its own: those before it have ended and are recorded
    finally:
        tracing.send("Tracing.end")
        wait_until(lambda: ended, lambda: page.wait_for_timeout(5))
        tracing.detach()
    longest = longest_task(events)
    if longest < FAST * TASK_MOST:
        return
    most = TASK_MOST * page.evaluate(SLOWNESS)
    assert longest < most, f"a task took {longest:.0f} ms of processor time"


def longest_task(events: list[dict[str, Any]]) -> float:
    """The processor time of the longest task of a page, in milliseconds. Other processes of the
    browser, and other threads, do not block pages. A task without a duration began at the very end
    of the recording and had not ended: it comes after those that were to be measured."""
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    found = [
        event["tdur"]
        for event in events
        if event["name"] == "RunTask"
        and event["ph"] == "X"
        and "tdur" in event
        and (event["pid"], event["tid"]) in threads
    ]
    return float(max(found) / 1000)
