"""Programs of ours in child processes: for work that may take a whole processor, or that reads what
somebody sent and should not be near our secrets while it does."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.02
PAUSE_SECONDS = 1.0


def nothing() -> None:
    """What is done while a child works, unless the caller has something to do."""


class NoFreeSlot(Exception):
    """Too many children are working, and none of them has ended in time."""


@contextmanager
def acquire_slot(folder: Path, name: str, slots: int, seconds: float) -> Iterator[None]:
    """Wait for one of a number of slots that all processes of this host share; NoFreeSlot after so
    many seconds. A slot is a locked file, which the kernel unlocks if its process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    while (slot := lock_slot(folder, name, slots)) is None:
        if time.monotonic() > end:
            raise NoFreeSlot
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        os.close(slot)


def lock_slot(folder: Path, name: str, slots: int) -> int | None:
    """The descriptor of a file that is locked now; None if others have locked them all."""
    for number in range(slots):
        handle = os.open(folder / f"{name}-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return handle
    return None


def run(
    program: Path,
    words: Sequence[str],
    source: IO[bytes],
    target: IO[bytes],
    seconds: float,
    pause: Callable[[], object] = nothing,
) -> int | None:
    """Run a Python file with descriptors for its input and its output, and return its status,
    negative for a signal; None if it was killed because it took too long. It gets neither our
    environment nor our modules. Under gevent the other requests of this process go on. `pause` is
    called every second; if it raises an error, the child is killed."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(program), *words],
        stdin=source,
        stdout=target,
        stderr=subprocess.STDOUT,
        env={},
        cwd="/",
        start_new_session=True,
    )
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(min(left, PAUSE_SECONDS))
            pause()
        return None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
