"""The loop of the clock."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from flask import Flask, current_app
from redis.exceptions import RedisError

from app.clock import lease
from app.clock.registry import Task
from app.current import worker_name
from app.database import failures
from app.database.engine import db
from app.errors import Unavailable
from app.redis.failures import describe

log = logging.getLogger("gazetteer.clock")

TICK_SECONDS = 10.0  # between two extensions of the lease
POLL_SECONDS = 0.2
FAILED_SECONDS = 5.0  # until a job in a thread of its own is tried again


class Clock:
    """Runs each job when it is due; a new clock runs all of them at once."""

    def __init__(self, jobs: Iterable[Task], holder: str = "") -> None:
        every = list(jobs)
        self.jobs = [job for job in every if not job.apart]
        self.apart = [job for job in every if job.apart]
        self.holder = holder or worker_name()
        self.due = dict.fromkeys((job.name for job in self.jobs), 0.0)
        self.extended = float("-inf")
        self.has_lease = False
        self.is_away = False  # the database did not answer

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Work until `is_stopped`."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        threads = [
            threading.Thread(target=repeat, args=(app, job, is_stopped)) for job in self.apart
        ]
        for thread in threads:
            thread.start()
        while not is_stopped():
            self.tick(is_stopped)
            time.sleep(POLL_SECONDS)
        for thread in threads:
            thread.join()
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


def repeat(app: Flask, job: Task, is_stopped: Callable[[], bool]) -> None:
    """Run one job again and again, in a thread; after a failure with a longer pause."""
    with app.app_context():
        while not is_stopped():
            seconds = job.every_seconds if run_job(job) else FAILED_SECONDS
            end = time.monotonic() + seconds
            while time.monotonic() < end and not is_stopped():
                time.sleep(min(seconds, POLL_SECONDS))


def run_job(job: Task) -> bool:
    """Run one job; an error is logged and does not stop the others. Returns whether there was
    none."""
    try:
        done = job.work()
        if done:
            log.info("housekeeping: %s: %s", job.name, done)
    except Exception as error:
        report(error, f"housekeeping: {job.name} failed")
        return False
    else:
        return True
    finally:
        db.session.rollback()
        db.session.remove()


def report(error: Exception, what: str) -> None:
    """Log an error; those of database and Redis in their own words."""
    if isinstance(error, failures.DATABASE_ERRORS):
        failures.report(error, what)
    elif isinstance(error, RedisError):
        log.warning("%s: Redis: %s", what, describe(error))
    elif isinstance(error, Unavailable):
        log.warning("%s: a service does not answer", what)
    else:
        log.error("%s", what, exc_info=error)
