"""Reading and writing the storage folder, without HTTP and without the database.

    <folder>/incoming/<random>.part    files being received
    <folder>/ab/<uuid>.pdf             stored files, in up to 256 folders
    <folder>/previews/PART/ab/...      what was made from stored files; can be made again. Each
                                       PART ends with the version of what made it

No part of a sent name ever becomes part of a path, except a plain extension. A file is written
completely, synced and then renamed, so a process that is killed leaves at most a .part file, which
nobody can see and which is deleted later.
"""

import errno
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any, BinaryIO
from uuid import uuid4

from app.concurrency import run_in_thread, run_in_threads, start_in_thread, yield_to_hub
from app.errors import DomainError, Fault, NoSpace, NotFound, TooLarge
from app.text import N_, Bytes

log = logging.getLogger("gazetteer.files")

BLOCK = 64 * 1024
SYNCS = 8  # at once
# Blocks of this size are written and hashed in a thread, while the next one arrives.
LARGE_BLOCK = 128 * 1024
# A .part file that was not written to for this long belongs to a process that has ended.
LEFTOVER_SECONDS = 6 * 3600
# The file system has no hard links, or no more of this file.
NO_LINK = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
DELETED = N_("This file was deleted permanently just now.")
STORED = re.compile(r"[0-9a-f]{32}(\.[a-z0-9]{1,16})?")


class Incoming:
    """A file being received: counted and hashed while it is written, in constant memory whatever
    its size. Of a file that cannot be stored the rest is read and discarded, so that the files
    after it in the same form still arrive; `problem` then gives the reason."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.size = 0
        self.problem: DomainError | None = None
        self._hash = hashlib.sha256()
        self.path = folder / "incoming" / f"{uuid4().hex}.part"
        self._handle: int | None = None
        self._written: Callable[[], OSError | None] | None = None  # waits for the last block
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # The umask decides who else on this machine can read it; nobody can execute it.
            self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            self._reject(refusal_of(error))

    @property
    def sha256(self) -> str:
        """The digest; complete once the file is finished."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Write one block, then yield: an upload on a fast connection always has data ready, and
        would block the other requests of this process (for 3 seconds with 1 GB). An error of the
        disk may be found with the next block."""
        if self.problem is None:
            if self.size + len(data) > self.limit:
                size = Bytes(self.limit)
                self._reject(TooLarge(N_("A file can have at most %(size)s.", size=size)))
            else:
                self._append(data)
        yield_to_hub()
        return len(data)

    def _append(self, data: bytes) -> None:
        if self._handle is None:
            raise ValueError("the file is already complete")
        self._wait()
        if self.problem is not None:
            return
        self.size += len(data)
        write = partial(write_block, self._handle, self._hash, data)
        self._written = start_in_thread(write) if len(data) >= LARGE_BLOCK else write
        if len(data) < LARGE_BLOCK:
            self._wait()

    def _wait(self) -> None:
        """Wait until the last block is written."""
        written, self._written = self._written, None
        if written and (error := written()):
            self._reject(refusal_of(error))

    def _reject(self, problem: DomainError) -> None:
        self.problem = problem
        self.discard()

    def finish(self) -> None:
        """Close the file after its last block: a form with thousands of files would otherwise run
        out of descriptors."""
        self._wait()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def move(self, extension: str, place: str) -> str:
        """Move the file to a new stored name in one of the 256 folders; returns the name. The
        extension becomes part of it if it consists of plain letters and digits."""
        plain = re.fullmatch(r"[a-z0-9]{1,16}", extension)
        name = place + uuid4().hex[2:] + (f".{extension}" if plain else "")
        target = path_of(self.folder, name)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            run_in_thread(sync, self.folder)
        self.path.rename(target)
        return name

    def discard(self) -> None:
        """Delete the .part file; without effect once the file is stored."""
        self.finish()
        self.path.unlink(missing_ok=True)


def write_block(handle: int, digest: Any, data: bytes) -> OSError | None:
    """Write a block and hash it; returns why that is not possible."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError as error:
        return error
    digest.update(data)
    return None


def store_together(files: Sequence[tuple[Incoming, str]]) -> list[str | OSError]:
    """Store files with their extensions; returns their stored names, or why one is not stored. Each
    is synced before it is moved. All are moved into the same folder, whose names are then synced
    once."""
    place = uuid4().hex[:2]
    names: list[str | OSError] = []
    for incoming, _extension in files:
        incoming.finish()
    problems = run_in_threads(sync_or_problem, [incoming.path for incoming, _ in files], SYNCS)
    for (incoming, extension), problem in zip(files, problems, strict=True):
        try:
            names.append(problem or incoming.move(extension, place))
        except OSError as error:
            names.append(error)
        yield_to_hub()
    moved = [name for name in names if isinstance(name, str)]
    folder = files[0][0].folder if files else Path()
    problem = run_in_thread(sync_or_problem, folder / place) if moved else None
    if problem is None:
        return names
    for name in moved:
        remove_stored(folder, name)
    return [problem] * len(files)


def refusal_of(error: OSError) -> DomainError:
    """The answer to a file that the disk did not take: the disk, its inodes or somebody's quota are
    used up, or it is a fault, which is logged."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace()
    log.error("a file was not stored", exc_info=error)
    return Fault()


def sync_or_problem(path: Path) -> OSError | None:
    try:
        sync(path)
    except OSError as error:
        return error
    return None


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk; in a thread, because disks can be slow."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def path_of(folder: Path, stored_name: str) -> Path:
    """The path of a stored file; ValueError for an invalid stored name."""
    if not STORED.fullmatch(stored_name):
        raise ValueError(f"{stored_name!r} is not a stored name")
    return folder / stored_name[:2] / stored_name


def find_stored(folder: Path, stored_name: str) -> Path:
    """The path of a stored file; NotFound if it is missing, which is logged."""
    path = path_of(folder, stored_name)
    if not path.exists():
        log.error("the content of the stored file %s is missing", stored_name)
        raise NotFound(N_("The content of this file is missing. Tell your administrator."))
    return path


def open_stored(path: Path) -> BinaryIO:
    """A stored file that was found; NotFound if it was deleted since."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(DELETED) from None


def stat_stored(path: Path) -> os.stat_result:
    """What the system knows of a stored file that was found; NotFound if it was deleted since."""
    try:
        return path.stat()
    except FileNotFoundError:
        raise NotFound(DELETED) from None


def read_blocks(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` up to but not including `stop`; yields to the hub after each block."""
    left = (path.stat().st_size if stop is None else stop) - start
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
            yield_to_hub()


def link_stored(folder: Path, stored_name: str) -> str:
    """Give a stored file a second stored name, and return it. The two share their bytes if the file
    system can do that, and either can be deleted."""
    source = path_of(folder, stored_name)
    name = stored_name[:2] + uuid4().hex[2:] + source.suffix
    target = path_of(folder, name)
    try:
        target.hardlink_to(source)
        os.utime(target)  # an old file without a row would be deleted
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        run_in_thread(copyfile, source, target)
        run_in_thread(sync, target)
    run_in_thread(sync, target.parent)
    return name


def remove_stored(folder: Path, stored_name: str) -> None:
    """Delete a stored file if it still exists, and what was made from it by any version."""
    path = path_of(folder, stored_name)
    path.unlink(missing_ok=True)
    for part in (folder / "previews").glob("*"):
        preview_path(folder, stored_name, part.name).unlink(missing_ok=True)


def preview_path(folder: Path, stored_name: str, part: str) -> Path:
    """The path of one of the things that are made from a stored file."""
    return folder / "previews" / part / path_of(folder, stored_name).relative_to(folder)


def remove_leftovers(folder: Path) -> int:
    """Delete .part files left by processes that were killed; returns how many. Cheap, because the
    folder holds only files being received."""
    oldest = time.time() - LEFTOVER_SECONDS
    count = 0
    for path in (folder / "incoming").glob("*.part"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
                count += 1
        except FileNotFoundError:
            continue  # it was stored or discarded just now
    return count


def stored_before(folder: Path, moment: float) -> Iterator[str]:
    """The names of all stored files last written before a moment (Unix time)."""
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        try:
            is_due = STORED.fullmatch(path.name) and path.stat().st_mtime < moment
        except FileNotFoundError:
            continue  # somebody else deleted it just now
        if is_due:
            yield path.name
