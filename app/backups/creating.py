"""Creating a backup: the database first, then the files that its rows name.

So every row finds its file: one that is added later has no row in the dump, and none is deleted
permanently in the meantime (app/files/storage/purging.py).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from app.backups import folder
from app.backups.archive.manifest import (
    NAMED_FILES,
    FilesPart,
    Manifest,
    Member,
    this_release,
)
from app.backups.archive.setting_values import without_secrets
from app.backups.archive.writing import (
    BLOCK,
    LISTING,
    SETTINGS,
    ArchiveWriter,
    line_of,
    member_name,
    spool,
)
from app.backups.databases.sources import DatabaseSource, MariaDbSource, Note, SqliteSource
from app.database.engine import db
from app.files.storage.folder import path_of


@dataclass
class WrittenFiles:
    """The files that were written, and the listing of their hashes."""

    listing: IO[bytes]
    count: int = 0
    bytes: int = 0
    missing: int = 0
    altered: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, name: str, member: Member, sha256: str) -> None:
        self.listing.write(line_of(name, member.sha256))
        self.count += 1
        self.bytes += member.bytes
        if member.sha256 != sha256:
            self.altered += 1
            self.note_problem(name)

    def add_missing(self, name: str) -> None:
        self.missing += 1
        self.note_problem(name)

    def note_problem(self, name: str) -> None:
        if len(self.named) < NAMED_FILES:
            self.named.append(name)


def open_source(part: Path) -> DatabaseSource:
    """The database of this application; `part` is the name of a temporary file for a copy."""
    if db.engine.dialect.name == "mysql":
        return MariaDbSource(db.engine)
    return SqliteSource(Path(db.engine.url.database or ""), part)


def write_archive(
    target: Path, files_dir: Path, values: dict[str, str], moment: datetime, note: Note
) -> Manifest:
    """Write a backup under a temporary name beside the target, then rename it."""
    source = open_source(target.with_name(f"{target.name}.database{folder.PART}"))
    part = target.with_name(target.name + folder.PART)
    with ArchiveWriter(part) as archive, spool() as rows, spool() as listing:

        def take_file(*row: object) -> None:
            rows.write(json.dumps(row).encode() + b"\n")

        packed = archive.add(source.member, source.blocks(note, take_file))
        settings = archive.add(SETTINGS, [without_secrets(values).encode()])
        rows.seek(0)
        written = WrittenFiles(listing)
        for line in rows:
            add_file(archive, written, files_dir, json.loads(line), note)
        listing.seek(0)
        listed = archive.add(LISTING, iter(lambda: listing.read(BLOCK), b""))
        files = FilesPart(
            written.count, written.bytes, listed, written.missing, written.altered,
            tuple(written.named),
        )  # fmt: skip
        manifest = Manifest(moment, this_release(), source.part(packed), settings, files)
        archive.finish(manifest, target)
    return manifest


def add_file(
    archive: ArchiveWriter, written: WrittenFiles, files_dir: Path, row: list[str], note: Note
) -> None:
    """Add a stored file. One that was missing before is reported and does not stop the backup."""
    name, _size, sha256 = row
    try:
        file = path_of(files_dir, name).open("rb")
    except (FileNotFoundError, ValueError):
        written.add_missing(name)
        return
    with file:
        member = archive.add(member_name(name), read(file, note))
    written.add(name, member, sha256)


def read(file: IO[bytes], note: Note) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
        note(len(block))
