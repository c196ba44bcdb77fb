"""Sharing a worker's CPU between the requests that it answers concurrently."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Any, TypeVar

import gevent
from gevent.monkey import is_module_patched
from gevent.pool import Pool

T = TypeVar("T")
R = TypeVar("R")

# Seconds. gevent polls its sockets during any sleep except sleep(0), which is a callback: up to 50
# of those run between two polls, and 50 blocks of work delay everybody else by 100 ms or more. A
# real sleep takes about a millisecond, so it is only worth it after some work.
SLEEP_SECONDS, WORK_SECONDS = 0.0001, 0.002


class LoopIteration:
    """The current iteration of the event loop, from one poll of its sockets to the next. All
    requests of the process share it: if each had its own clock, many concurrent uploads would each
    work for WORK_SECONDS before other requests are answered."""

    number, began = -1, 0.0

    def update(self, number: int) -> None:
        """Restart the clock if this is a new iteration."""
        if number != self.number:
            self.number, self.began = number, time.monotonic()

    def is_long(self) -> bool:
        """True if other requests have waited long enough."""
        return time.monotonic() - self.began >= WORK_SECONDS


current = LoopIteration()


def yield_to_hub() -> None:
    """Let the other requests of this process run if they have waited for some milliseconds. Called
    after each short piece of work; does nothing outside of gevent."""
    if not is_module_patched("time"):
        return
    loop = gevent.get_hub().loop
    current.update(loop.iteration)
    if current.is_long():
        time.sleep(SLEEP_SECONDS)
        current.update(loop.iteration)


class PacedBody:
    """A request body that yields to the hub after each block. A client on a fast connection always
    has data ready, so reading would never yield."""

    def __init__(self, body: IO[bytes]) -> None:
        self.body = body

    def read(self, size: int = -1) -> bytes:
        block = self.body.read(size)
        yield_to_hub()
        return block


def run_in_thread(work: Callable[..., Any], *args: Any) -> Any:
    """Run work that blocks but releases the GIL (hashing, fsync) in a thread, so that the worker's
    other requests go on. Outside of gevent it is called directly."""
    if not is_module_patched("threading"):
        return work(*args)
    return gevent.get_hub().threadpool.apply(work, args)


def run_in_threads(work: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
    """The results of `run_in_thread()` for all items, so many of them at the same time."""
    if not is_module_patched("threading"):
        return [work(item) for item in items]
    results: list[R] = Pool(at_once).map(partial(run_in_thread, work), items)
    return results
