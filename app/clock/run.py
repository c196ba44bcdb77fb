"""The loop of the clock."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from redis.exceptions import RedisError

from app.clock import lease
from app.clock.registry import Job
from app.current import worker_name
from app.database import failures
from app.database.engine import db
from app.redis.failures import describe

log = logging.getLogger("gazetteer.clock")

TICK_SECONDS = 10.0  # between two extensions of the lease
POLL_SECONDS = 0.2


class Clock:
    """Runs each job when it is due; a new clock runs all of them at once."""

    def __init__(self, jobs: Iterable[Job], holder: str = "") -> None:
        self.jobs = list(jobs)
        self.holder = holder or worker_name()
        self.due = dict.fromkeys((job.name for job in self.jobs), 0.0)
        self.extended = float("-inf")
        self.has_lease = False
        self.is_away = False  # the database did not answer

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Work until `is_stopped`."""
        while not is_stopped():
            self.tick(is_stopped)
            time.sleep(POLL_SECONDS)
        with suppress(*failures.DATABASE_ERRORS):
            lease.give_up(self.holder)

    def tick(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Run the jobs that are due now."""
        for job in self.jobs:
            if is_stopped():
                return
            self.extend_lease()
            if time.monotonic() >= self.due[job.name] and (self.has_lease or job.per_host):
                self.due[job.name] = time.monotonic() + job.every_seconds
                run_job(job)

    def extend_lease(self) -> None:
        """Take or extend the lease, if that is due."""
        if time.monotonic() - self.extended < TICK_SECONDS:
            return
        self.extended = time.monotonic()
        try:
            self.has_lease, self.is_away = lease.take(self.holder), False
        except Exception as error:
            self.has_lease = False
            db.session.rollback()
            if not self.is_away:
                report(error, "the clock has no lease")
            self.is_away = True


def run_job(job: Job) -> None:
    """Run one job; an error is logged and does not stop the others."""
    try:
        done = job.work()
        if done:
            log.info("housekeeping: %s: %s", job.name, done)
    except Exception as error:
        report(error, f"housekeeping: {job.name} failed")
    finally:
        db.session.rollback()
        db.session.remove()


def report(error: Exception, what: str) -> None:
    """Log an error; those of database and Redis in their own words."""
    if isinstance(error, failures.DATABASE_ERRORS):
        failures.report(error, what)
    elif isinstance(error, RedisError):
        log.warning("%s: Redis: %s", what, describe(error))
    else:
        log.error("%s", what, exc_info=error)
