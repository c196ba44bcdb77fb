"""Sharing a worker's one processor between the requests it answers at the same time."""

import time
from collections.abc import Callable
from typing import IO, Any

import gevent
from gevent.monkey import is_module_patched

# Seconds. Any sleep but 0 has gevent look at its sockets: sleep(0) is a callback, of which it runs
# 50 before it looks again, and 50 blocks of work are 100 ms and more for everybody else.
GIVE_WAY_SECONDS = 0.0001


def yield_to_hub() -> None:
    """Let this process's other requests run; called after each few milliseconds of work."""
    time.sleep(GIVE_WAY_SECONDS)


class PacedBody:
    """The body of a request that gives way after each block. A client on a fast line always has
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
