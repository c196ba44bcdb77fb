"""Putting the files of a backup into a storage folder."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from app.backups.archive.manifest import Manifest
from app.backups.archive.reading import Receiver
from app.backups.archive.writing import spool
from app.backups.databases.targets import Target
from app.files.storage.folder import path_of


class PlacedFiles:
    """Files that are written to a storage folder. Nobody sees one before a row names it. Those that
    were not there before go again if this fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.added = spool()

    def place(self, stored_name: str, blocks: Iterable[bytes]) -> None:
        """Write a file under a temporary name, then give it its own, also where one is."""
        target = path_of(self.folder, stored_name)
        part = self.folder / "incoming" / f"{uuid4().hex}.part"
        for folder in (target.parent, part.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            # The umask decides who else can read it, as for an upload.
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb"
            ) as file:
                for block in blocks:
                    file.write(block)
            is_new = not target.exists()
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
        if is_new:
            self.added.write(f"{stored_name}\n".encode())

    def take_back(self) -> None:
        """Delete the files that were added."""
        self.added.seek(0)
        for line in self.added:
            path_of(self.folder, line.decode().strip()).unlink(missing_ok=True)


@contextmanager
def placed_files(folder: Path) -> Iterator[PlacedFiles]:
    files = PlacedFiles(folder)
    try:
        yield files
    except BaseException:
        files.take_back()
        raise
    finally:
        files.added.close()


class Restorer(Receiver):
    """Puts what is read into a target and a folder."""

    def __init__(self, target: Target, files: PlacedFiles) -> None:
        self.target, self.files = target, files

    def take_database(self, manifest: Manifest, blocks: Iterable[bytes]) -> None:
        self.target.load(blocks)

    def take_file(self, stored_name: str, blocks: Iterable[bytes]) -> None:
        self.files.place(stored_name, blocks)
