"""How steady a page is while it loads: shifts of its layout, and tasks that block it."""

import time

from playwright.sync_api import BrowserContext, Page

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


def observe(context: BrowserContext) -> None:
    """Have the pages of a window observed, and their scripts late."""
    context.add_init_script(OBSERVE)

    def delay(route):  # type: ignore[no-untyped-def]
        time.sleep(SCRIPTS_AFTER)
        route.continue_()

    # One is enough: the others wait behind it.
    context.route("**/js/page.js", delay)


def assert_steady(page: Page) -> None:
    """Nothing has moved since the first paint, and no task has taken long."""
    shifts = page.evaluate(SHIFTS)
    assert sum(shift[0] for shift in shifts) < SHIFT_MOST, shifts
    assert max(page.evaluate(TASKS), default=0) < TASK_MOST
