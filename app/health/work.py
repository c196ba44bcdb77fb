"""What is not done although pages are served: the text of each check, `ok` or a warning."""

from collections.abc import Callable, Mapping

from app.clock import beats
from app.jobs.deliveries.queries import count_given_up
from app.jobs.queries import has_worker
from app.schedules.queries import read_problems

OK = "ok"


def clock() -> str:
    """Whether a clock runs."""
    return "warning: no clock runs; see `supervisorctl status clock`" if beats.is_late() else OK


def worker() -> str:
    """Whether a process does jobs."""
    if has_worker():
        return OK
    return "warning: no worker runs, so jobs wait; see `supervisorctl status worker`"


def schedules() -> str:
    """Whether runs were missed or failed within a day."""
    found = read_problems()
    if found is None:
        return OK
    return f"warning: {found.count} missed or failed within a day; see the page Schedules"


def deliveries() -> str:
    """Whether results were given up within a day that nobody received."""
    count = count_given_up()
    return f"warning: {count} given up within a day; see the pages of their jobs" if count else OK


CHECKS: Mapping[str, Callable[[], str]] = {
    "clock": clock,
    "worker": worker,
    "schedules": schedules,
    "deliveries": deliveries,
}
