"""Sharing a worker's CPU between the requests that it answers concurrently."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from select import POLLIN, POLLRDHUP
from socket import socket
from typing import IO, Any, TypeVar

import gevent
from gevent.event import AsyncResult
from gevent.monkey import get_original, is_module_patched
from gevent.pool import Pool

T = TypeVar("T")
R = TypeVar("R")

# The system's own: gevent's would let other requests run, and takes many times as long.
poll = get_original("select", "poll")
new_system_lock = get_original("_thread", "allocate_lock")
# Seconds of work after which other requests of the process go first. If there are none, letting
# them costs 6 µs.
WORK_SECONDS = 0.002


class LoopIteration:
    """The current iteration of the event loop, from one poll of its sockets to the next. All
    requests of the process share it: if each had its own clock, many concurrent uploads would each
    work for WORK_SECONDS before other requests are answered."""

    number, began = -1, 0.0

    def update(self, number: int) -> None:
        """Restart the clock if this is a new iteration."""
        if number != self.number:
            self.number, self.began = number, time.monotonic()

    def is_long(self, seconds: float) -> bool:
        """True if other requests have waited for so long."""
        return time.monotonic() - self.began >= seconds


current = LoopIteration()


def yield_to_hub(seconds: float = WORK_SECONDS) -> None:
    """Let the other requests of this process run if they have waited for so long. Called after each
    short piece of work; does nothing outside of gevent."""
    if not is_module_patched("time"):
        return
    loop = gevent.get_hub().loop
    current.update(loop.iteration)
    if current.is_long(seconds):
        wait_for_poll()
        current.update(loop.iteration)


def yield_after(since: float, seconds: float) -> float:
    """Let the other requests of this process run if this one has worked for so long since a time,
    whatever they have done; returns since when it works now. For what others wait for: by the clock
    of all requests (yield_to_hub()) it would get nothing done while they are busy."""
    if not is_module_patched("time") or time.monotonic() - since < seconds:
        return since
    wait_for_poll()
    return time.monotonic()


def wait_for_poll() -> None:
    """Wait until the loop has polled its sockets and run what waited for them: for a timer of 0,
    whose priority lets those go first. sleep(0) is only a callback, up to 50 of which run between
    two polls, and 50 blocks of work delay everybody else by 100 ms or more; a real sleep takes a
    millisecond at least."""
    hub = gevent.get_hub()
    hub.wait(hub.loop.timer(0, priority=hub.loop.MINPRI))  # type: ignore[attr-defined]


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


def start_in_thread(work: Callable[[], T]) -> Callable[[], T]:
    """Begin such work; what is returned waits for its result. Outside of gevent it is there."""
    if not is_module_patched("threading"):
        result = work()
        return lambda: result
    return partial(finish, gevent.get_hub().threadpool.spawn(work))


def finish_in_thread(work: Callable[[], T]) -> T:
    """As run_in_thread(), for work on an object that is not thread-safe: a request that is killed
    waits for the thread, and raises then."""
    return start_in_thread(work)()


def finish(running: "AsyncResult[Any]") -> Any:
    """The result of a thread, which is waited for even if the request is killed."""
    killed: BaseException | None = None
    while not running.ready():
        try:
            running.wait()
        except BaseException as error:
            killed = error
    if killed:
        raise killed
    return running.get()


def run_in_threads(work: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
    """The results of `run_in_thread()` for all items, so many of them at the same time."""
    if not is_module_patched("threading"):
        return [work(item) for item in items]
    results: list[R] = Pool(at_once).map(partial(run_in_thread, work), items)
    return results


def start_system_thread(work: Callable[[], object]) -> None:
    """Run work in a thread of the system, which goes on while the event loop of this process is
    busy. What it waits for under gevent belongs to an event loop of its own."""
    get_original("_thread", "start_new_thread")(run_with_own_loop, (work,))


def run_with_own_loop(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        if is_module_patched("time"):
            gevent.get_hub().destroy(destroy_loop=True)


def has_input(connection: socket) -> bool:
    """True if something has arrived on a connection, or the other side has closed it."""
    return is_ready(connection, POLLIN)


def is_closed(connection: socket) -> bool:
    """True if the other side has closed its end of a connection, whatever has arrived before."""
    return connection.fileno() < 0 or is_ready(connection, POLLRDHUP)


def is_ready(connection: socket, events: int) -> bool:
    look = poll()
    look.register(connection, events)
    return bool(look.poll(0))
