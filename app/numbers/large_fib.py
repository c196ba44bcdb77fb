"""Fibonacci numbers that would block the web process for too long, from a child process."""

import logging
import tempfile
from pathlib import Path

from app import children
from app.current import settings
from app.errors import Unavailable
from app.numbers import fib
from app.redis.lock import Lock
from app.text import N_

log = logging.getLogger("gazetteer.numbers")

AT_ONCE = 2  # on this host
SLOT_SECONDS = 4  # to wait for one of these
SECONDS = 10  # on an idle machine 0.1 are enough


def digits(n: int, lock: Lock) -> str:
    """All digits of fib(n), while the lock is renewed."""
    with lock.renewed():
        try:
            with children.acquire_slot(settings().instance, "fib", AT_ONCE, SLOT_SECONDS):
                return run(n)
        except children.NoFreeSlot:
            raise Unavailable(
                N_("Many numbers are being computed right now. Try again in a moment.")
            ) from None


def run(n: int) -> str:
    """What the program writes."""
    with tempfile.TemporaryFile() as output:
        with Path("/dev/null").open("rb") as nothing:
            status = children.run(Path(fib.__file__), [str(n)], nothing, output, SECONDS)
        output.seek(0)
        text = output.read().decode("ascii", "replace")
    if status is None:
        raise Unavailable(N_("This took too long to compute. Try again in a moment."))
    if status < 0:  # killed, for example because memory ran out
        log.warning("fib(%s) was ended by signal %s", n, -status)
        raise Unavailable(N_("This computation was interrupted. Try again in a moment."))
    if status or fib.read_result(text, n) is None:
        raise RuntimeError(f"fib({n}) ended with status {status}: {text[-200:]!r}")
    return text
