"""Sharing a worker's one processor between the requests it answers at the same time."""

import time
from collections.abc import Callable
from typing import IO, Any

import gevent
from gevent.monkey import is_module_patched

# Seconds. Any sleep but 0 has gevent look at its sockets: sleep(0) is a callback, of which it runs
# 50 before it looks again, and 50 blocks of work are 100 ms and more for everybody else. It takes
# about a millisecond, so it is worth it only after some work.
GIVE_WAY_SECONDS, WORK_SECONDS = 0.0001, 0.002


class Turn:
    """The present turn of the event loop, between two looks at its sockets. All requests of this
    process share it: with a clock of its own for each, many uploads at once would take the whole
    WORK_SECONDS one after another before anybody else is answered."""

    number, began = -1, 0.0

    def note(self, number: int) -> None:
        """The number of the present turn; a new one begins now."""
        if number != self.number:
            self.number, self.began = number, time.monotonic()

    def is_over(self) -> bool:
        """Whether others have waited long enough."""
        return time.monotonic() - self.began >= WORK_SECONDS


turn = Turn()


def yield_to_hub() -> None:
    """Let this process's other requests run, when they have waited for some milliseconds; called
    after each piece of work that is shorter than that. Outside of gevent nobody waits."""
    if not is_module_patched("time"):
        return
    loop = gevent.get_hub().loop
    turn.note(loop.iteration)
    if turn.is_over():
        time.sleep(GIVE_WAY_SECONDS)
        turn.note(loop.iteration)


class PacedBody:
    """The body of a request that gives way between its blocks. A client on a fast line always has
    data ready, and reading them never waits."""

    def __init__(self, body: IO[bytes]) -> None:
        self.body = body

    def read(self, size: int = -1) -> bytes:
        """The next block."""
        block = self.body.read(size)
        yield_to_hub()
        return block


def run_in_thread(work: Callable[..., Any], *args: Any) -> Any:
    """Run work that holds the processor but releases Python's lock (hashing, fsync) in a thread,
    so that this worker's other requests go on. Outside of gevent it is simply called."""
    if not is_module_patched("threading"):
        return work(*args)
    return gevent.get_hub().threadpool.apply(work, args)
