"""While a backup is restored, pages of every process with the same FILES_DIR answer 503."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Unavailable
from app.text import N_

NAME = "restoring.lock"
TEXT = N_("A backup is being restored. Try again in a few minutes.")


@contextmanager
def begun(files_dir: Path) -> Iterator[None]:
    """Let pages answer 503 within this block. If this process is killed in it, they are served
    again: what is restored takes the place of what was there only as a whole."""
    files_dir.mkdir(parents=True, exist_ok=True)
    path = files_dir / NAME
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def is_restoring(files_dir: Path) -> bool:
    """True while a process restores. The file that a killed one left is not locked."""
    path = files_dir / NAME
    if not path.exists():
        return False
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def unavailable() -> Unavailable:
    return Unavailable(TEXT)
