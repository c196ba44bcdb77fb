"""Reading a backup from beginning to end, and checking it against its manifest.

An archive is not trusted: each member must be a plain file with the name that is expected there, so
none leads out of its folder, and none may be larger than the manifest says.
"""

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from app.backups.archive.manifest import PLACE, BadBackup, Manifest, Member, load
from app.backups.archive.writing import BLOCK, HEADER, LISTING, MANIFEST, SETTINGS, line_of, spool
from app.backups.databases.content import decompressed
from app.text import N_

DATABASES = {"sqlite": "database.sqlite.gz", "mariadb": "database.sql.gz"}
STORED = re.compile(r"files/([0-9a-f]{2})/(\1[0-9a-f]{30}(?:\.[a-z0-9]{1,16})?)")
END = bytes(2 * HEADER)
SETTINGS_MOST = 1 << 20

Note = Callable[[int], object]
CUT_SHORT = N_("This backup is cut short.")


class Receiver:
    """Takes what is read. This one wants nothing: the backup is only verified."""

    def take_database(self, manifest: Manifest, blocks: Iterable[bytes]) -> None:
        """Take the uncompressed dump; BadBackup comes at its end if it was altered."""
        for _block in blocks:
            pass

    def take_file(self, stored_name: str, blocks: Iterable[bytes]) -> None:
        for _block in blocks:
            pass

    def take_settings(self, text: bytes) -> None:
        pass


class Archive:
    """An open archive, of which member after member is read."""

    def __init__(self, file: IO[bytes], note: Note) -> None:
        self.file, self.note = file, note
        self.left = os.fstat(file.fileno()).st_size

    def take(self, size: int) -> bytes:
        """The next bytes, which have to be there."""
        self.left -= size
        found = self.file.read(size) if self.left >= 0 else b""
        if len(found) < size:
            raise BadBackup(CUT_SHORT)
        return found

    def next_head(self) -> tarfile.TarInfo:
        """The head of the next member."""
        text = self.take(HEADER)
        try:
            info = tarfile.TarInfo.frombuf(text, "utf-8", "strict")
        except (tarfile.HeaderError, ValueError):
            raise BadBackup(N_("This backup was altered, or it is not a backup.")) from None
        if info.type != tarfile.REGTYPE or info.linkname or info.size < 0:
            raise unexpected(info.name)
        return info

    def blocks(self, size: int) -> Iterator[bytes]:
        """The content of the member whose head was read."""
        left = size
        while left:
            block = self.take(min(BLOCK, left))
            left -= len(block)
            self.note(len(block))
            yield block
        if any(self.take(-size % HEADER)):
            raise BadBackup(N_("This backup was altered between two of its members."))

    def expect(self, name: str, most: int) -> int:
        """Read the head of a member with this name; returns its size."""
        info = self.next_head()
        if info.name != name:
            raise unexpected(info.name)
        if info.size > most:
            raise BadBackup(N_("%(name)s in this backup is too large.", name=name))
        return info.size

    def end(self) -> None:
        if self.take(len(END)) != END or self.left:
            raise BadBackup(N_("This backup has something after its end."))


def unexpected(name: str) -> BadBackup:
    """`name` may be anything."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:100])
    return BadBackup(N_("This backup contains %(name)s, which does not belong in it.", name=shown))


class Hashed:
    """Blocks that are hashed and counted as they are read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.source, self.hash, self.size = blocks, hashlib.sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self.source:
            self.hash.update(block)
            self.size += len(block)
            yield block

    @property
    def member(self) -> Member:
        return Member(self.size, self.hash.hexdigest())


def nothing(_bytes: int) -> None:
    """For who does not want to know how far it is."""


def read_manifest(path: Path) -> Manifest:
    """The manifest alone."""
    with path.open("rb") as file:
        return take_manifest(Archive(file, nothing))


def take_manifest(archive: Archive) -> Manifest:
    size = archive.expect(MANIFEST, PLACE)
    return load(b"".join(archive.blocks(size)))


def read_archive(path: Path, receiver: Receiver, note: Note) -> Manifest:
    """Read everything and hand it on; BadBackup where it is not what the manifest says, which can
    be after the receiver got it."""
    with path.open("rb") as file, spool() as lines:
        archive = Archive(file, note)
        manifest = take_manifest(archive)
        read_database(archive, manifest, receiver)
        size = archive.expect(SETTINGS, SETTINGS_MOST)
        settings = Hashed(archive.blocks(size))
        receiver.take_settings(b"".join(settings))
        check(settings.member, manifest.settings, SETTINGS)
        read_files(archive, manifest, receiver, lines)
        archive.end()
    return manifest


def read_database(archive: Archive, manifest: Manifest, receiver: Receiver) -> None:
    name = DATABASES.get(manifest.database.kind, "")
    size = archive.expect(name, manifest.database.packed.bytes)
    packed = Hashed(archive.blocks(size))
    receiver.take_database(manifest, decompressed(packed, manifest.database.content))
    check(packed.member, manifest.database.packed, name)


def read_files(archive: Archive, manifest: Manifest, receiver: Receiver, lines: IO[bytes]) -> None:
    """Read the files, and their listing, which says which of them was altered."""
    count = total = 0
    while (info := archive.next_head()).name != LISTING:
        found = STORED.fullmatch(info.name)
        count, total = count + 1, total + info.size
        if not found or count > manifest.files.count:
            raise unexpected(info.name)
        if total > manifest.files.bytes:
            raise BadBackup(N_("%(name)s in this backup is too large.", name=info.name))
        hashed = Hashed(archive.blocks(info.size))
        receiver.take_file(found[2], hashed)
        lines.write(line_of(found[2], hashed.member.sha256))
    lines.seek(0)
    listing = Hashed(archive.blocks(info.size))
    compare_listing(listing, lines)
    check(listing.member, manifest.files.listing, LISTING)
    if (count, total) != (manifest.files.count, manifest.files.bytes):
        raise BadBackup(N_("Files are missing in this backup."))


def compare_listing(listing: Iterable[bytes], lines: IO[bytes]) -> None:
    """BadBackup with the name of the first file whose hash is not the listed one."""
    for block in listing:
        begun = lines.tell()
        if lines.read(len(block)) != block:
            raise altered_file(lines, begun, block)
    if lines.read(1):
        raise BadBackup(N_("The listing of files in this backup is cut short."))


def altered_file(lines: IO[bytes], begun: int, block: bytes) -> BadBackup:
    """An error that names the file in whose line the listing and what was read differ."""
    lines.seek(begun)
    read = lines.read(len(block))
    at = next((i for i, (a, b) in enumerate(zip(read, block, strict=False)) if a != b), len(read))
    lines.seek(0)
    position = 0
    for line in lines:
        position += len(line)
        if position > begun + at:
            name = line.decode().split()[-1]
            return BadBackup(N_("The file %(name)s in this backup was altered.", name=name))
    return BadBackup(N_("Files are missing in this backup."))


def check(found: Member, expected: Member, name: str) -> None:
    if found != expected:
        raise BadBackup(N_("The file %(name)s in this backup was altered.", name=name))
