"""Running the loops of the clock."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from flask import Flask, current_app
from redis.exceptions import RedisError

from app.clock import beats
from app.clock.registry import Loop
from app.database import failures
from app.errors import Unavailable
from app.redis.failures import describe

log = logging.getLogger("gazetteer.clock")

BEAT_SECONDS = 10.0
POLL_SECONDS = 0.2
FAILED_SECONDS = 5.0  # at least, until a loop that has failed is run again


class Clock:
    """Runs each loop when it is due; a new clock runs all of them at once."""

    def __init__(self, loops: Iterable[Loop]) -> None:
        every = list(loops)
        self.loops = [loop for loop in every if not loop.apart]
        self.apart = [loop for loop in every if loop.apart]
        self.due = dict.fromkeys((loop.name for loop in self.loops), 0.0)
        self.beaten = float("-inf")
        self.is_away = False  # the database did not answer

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Work until `is_stopped`."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        threads = [
            threading.Thread(target=repeat, args=(app, loop, is_stopped)) for loop in self.apart
        ]
        for thread in threads:
            thread.start()
        while not is_stopped():
            self.tick(is_stopped)
            time.sleep(POLL_SECONDS)
        for thread in threads:
            thread.join()

    def tick(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Run the loops that are due now."""
        self.beat()
        for loop in self.loops:
            if is_stopped() or self.is_away:
                return
            if time.monotonic() >= self.due[loop.name]:
                self.due[loop.name] = time.monotonic() + pause_after(loop, run_loop(loop))
                self.beat()

    def beat(self) -> None:
        """Write that this clock runs, if that is due."""
        if time.monotonic() - self.beaten < BEAT_SECONDS:
            return
        self.beaten = time.monotonic()
        try:
            beats.beat()
            self.is_away = False
        except Exception as error:
            if not self.is_away:
                report(error, "the clock waits")
            self.is_away = True
        finally:
            failures.close_session()


def pause_after(loop: Loop, done: bool) -> float:
    """The seconds until a loop is run again."""
    return loop.every_seconds if done else max(loop.every_seconds, FAILED_SECONDS)


def repeat(app: Flask, loop: Loop, is_stopped: Callable[[], bool]) -> None:
    """Run one loop again and again, in a thread."""
    with app.app_context():
        while not is_stopped():
            seconds = pause_after(loop, run_loop(loop))
            end = time.monotonic() + seconds
            while time.monotonic() < end and not is_stopped():
                time.sleep(min(seconds, POLL_SECONDS))


def run_loop(loop: Loop) -> bool:
    """Run one loop once; an error is logged and does not stop the others. Returns whether there was
    none."""
    try:
        done = loop.work()
        if done:
            log.info("clock: %s: %s", loop.name, done)
    except Exception as error:
        report(error, f"clock: {loop.name} failed")
        return False
    else:
        return True
    finally:
        failures.close_session()


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
