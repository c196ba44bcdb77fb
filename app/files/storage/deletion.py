"""The lock between deleting stored files permanently and a backup, which needs all of them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "deletion.lock"


@contextmanager
def prevented(folder: Path) -> Iterator[None]:
    """Wait until nobody deletes files of this folder; while this block runs nobody begins to. The
    kernel ends it if its process is killed."""
    with opened(folder) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def allowed(folder: Path) -> Iterator[bool]:
    """True if files may be deleted within this block, False while that is prevented."""
    with opened(folder) as handle:
        yield lock(handle)


def lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The file that is locked; closing it unlocks it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
