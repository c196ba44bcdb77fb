"""Writing a backup: one tar archive, whose members are streamed."""

import hashlib
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from app.backups.archive.manifest import PLACE, Manifest, Member, dump

BLOCK = 256 * 1024
HEADER = 512  # bytes of the head of a member; its content is filled up to a multiple of that
MODE = 0o600

MANIFEST = "manifest.json"
SETTINGS = "settings.env"
LISTING = "files.sha256"
IN_MEMORY = 1 << 20  # bytes of the list of files


def line_of(stored_name: str, sha256: str) -> bytes:
    """The line of a file in the listing, as sha256sum reads it."""
    return f"{sha256}  {member_name(stored_name)}\n".encode()


def member_name(stored_name: str) -> str:
    """The name of a stored file in the archive."""
    return f"files/{stored_name[:2]}/{stored_name}"


def spool() -> IO[bytes]:
    """A temporary file that is in memory while it is small."""
    return tempfile.SpooledTemporaryFile(IN_MEMORY)


def header(name: str, size: int) -> bytes:
    """The head of a member: a plain file."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, MODE, int(time.time())
    return info.tobuf(tarfile.GNU_FORMAT)


class ArchiveWriter:
    """An archive under a temporary name, which goes unless finish() is reached. The size of a
    member is known when it is written, so its head is written after it, and the manifest last, in a
    place at the beginning."""

    def __init__(self, part: Path) -> None:
        self.part = part
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        self.file = os.fdopen(handle, "wb", BLOCK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self.file.close()
        finally:
            self.part.unlink(missing_ok=True)

    def add(self, name: str, blocks: Iterable[bytes]) -> Member:
        """Add a member; returns its size and hash."""
        if not self.file.tell():
            self.file.write(header(MANIFEST, PLACE) + bytes(PLACE))
        start, size, digest = self.file.tell(), 0, hashlib.sha256()
        self.file.write(bytes(HEADER))
        for block in blocks:
            self.file.write(block)
            digest.update(block)
            size += len(block)
        self.file.write(bytes(-size % HEADER))
        self.write_at(start, header(name, size))
        return Member(size, digest.hexdigest())

    def write_at(self, place: int, text: bytes) -> None:
        """Write over something, and go back to the end."""
        self.file.seek(place)
        self.file.write(text)
        self.file.seek(0, os.SEEK_END)

    def finish(self, manifest: Manifest, target: Path) -> int:
        """Write the manifest and the end of the archive, have the disk store it, and give it its
        name; returns its size."""
        self.write_at(HEADER, dump(manifest))
        self.file.write(bytes(2 * HEADER))
        self.file.flush()
        os.fsync(self.file.fileno())
        size = self.file.tell()
        self.part.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return size
