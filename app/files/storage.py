"""Bytes in and out of the storage folder. Knows no HTTP and no database.

    <folder>/incoming/<random>.part    what is being received
    <folder>/ab/<uuid>.pdf             what was kept, in up to 256 folders

No name that somebody sent ever becomes part of a path. A kept file was written whole, synced and
then renamed, so a process that is killed leaves at most a .part file, which nobody can see and
which is cleared away later.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from app.concurrency import run_in_thread, yield_to_hub

BLOCK = 64 * 1024
# A .part file nobody wrote to for so long belongs to a process that is gone.
LEFTOVER_SECONDS = 6 * 3600
STORED = re.compile(r"[0-9a-f]{32}(\.[a-z0-9]{1,16})?")

TOO_LARGE, NO_SPACE = "too large", "no space"


class Incoming:
    """A file on its way in: counted and hashed while it is written, of any size in constant
    memory. What cannot be kept is read on and thrown away, and `problem` says why, so that the
    files behind it in the same form still arrive."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.size = 0
        self.problem: str | None = None
        self._hash = hashlib.sha256()
        self.path = folder / "incoming" / f"{uuid4().hex}.part"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The umask decides who else on this machine may read it; nobody may execute it.
        self._handle: int | None = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    @property
    def sha256(self) -> str:
        """The digest of what was written so far, in hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Take one block. Pauses after it: an upload that always has data ready would otherwise
        never let the other requests of this process run (3 seconds for 1 GB)."""
        if self.problem is None:
            if self.size + len(data) > self.limit:
                self._give_up(TOO_LARGE)
            else:
                self._append(data)
        yield_to_hub()
        return len(data)

    def _append(self, data: bytes) -> None:
        if self._handle is None:
            raise ValueError("this file is complete")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            self._give_up(NO_SPACE)
            return
        self._hash.update(data)
        self.size += len(data)

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        self.discard()

    def finish(self) -> None:
        """All bytes are here: let go of the descriptor, or a form of thousands runs out of them."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def keep(self, ending: str) -> str:
        """Sync it and give it its stored name, which is returned. The name comes from us; of the
        ending only plain letters and digits are taken."""
        self.finish()
        name = uuid4().hex + (f".{ending}" if re.fullmatch(r"[a-z0-9]{1,16}", ending) else "")
        target = path_of(self.folder, name)
        sync(self.path)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            sync(self.folder)
        self.path.rename(target)
        sync(target.parent)
        return name

    def discard(self) -> None:
        """Leave nothing behind; without effect on what was kept."""
        self.finish()
        self.path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on disk. Off the hub: a disk may take its time."""
    handle = os.open(path, os.O_RDONLY)
    try:
        run_in_thread(os.fsync, handle)
    finally:
        os.close(handle)


def path_of(folder: Path, stored_name: str) -> Path:
    """Where a kept file is."""
    return folder / relative(stored_name)


def relative(stored_name: str) -> str:
    """The same below the storage folder; refuses what is no stored name."""
    if not STORED.fullmatch(stored_name):
        raise ValueError(f"{stored_name!r} is no stored name")
    return f"{stored_name[:2]}/{stored_name}"


def read(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` up to, not including, `stop`, with a pause after each block."""
    left = (path.stat().st_size if stop is None else stop) - start
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
            yield_to_hub()


def remove(folder: Path, stored_name: str) -> None:
    """Delete a kept file's bytes, if they are still there."""
    path_of(folder, stored_name).unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Delete what killed processes left half written; returns how many. Cheap enough for the
    beginning of every upload, since only what is being received lies there."""
    oldest = time.time() - LEFTOVER_SECONDS
    count = 0
    for path in (folder / "incoming").glob("*.part"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
                count += 1
        except FileNotFoundError:
            continue  # it was kept or discarded just now
    return count


def stored_before(folder: Path, moment: float) -> Iterator[str]:
    """The stored names of all kept files last written before a moment (Unix time)."""
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        if STORED.fullmatch(path.name) and path.stat().st_mtime < moment:
            yield path.name
