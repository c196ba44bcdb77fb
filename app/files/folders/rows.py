"""The rows of folders that exist because a file is in them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, select
from sqlalchemy.dialects import mysql, sqlite

from app.database.engine import db
from app.database.limits import slices
from app.database.service import unrecorded
from app.database.stored_keys import Store
from app.files.folders.models import Folder
from app.files.folders.paths import ancestors, parent_of
from app.files.models import File
from app.files.search_keys import folder_keys
from app.times import now

TABLE: Any = Folder.__table__


def ensure_folders(paths: Iterable[str], created_by: int | None) -> None:
    """Within a service: add the rows of these folders and of those above them which are missing.
    Those that exist are locked until the service ends, so that nobody moves or removes them in the
    meantime; one that was moved just now is made again under its old path."""
    missing = {each for path in paths for each in ancestors(path)} - lock_present(paths)
    add_rows((path, now(), created_by) for path in sorted(missing))


def lock_folder_of(file: File, created_by: int | None) -> None:
    """Within a service: lock the folder of a file, wherever that was moved just now, and add it if
    it is missing. The file is locked too, and read again."""
    folder = None
    while folder != file.folder:
        folder = file.folder
        lock_present([folder])
        query = select(File).where(File.id == file.id).with_for_update()
        db.session.scalars(query.execution_options(populate_existing=True)).first()
    ensure_folders([folder], created_by)


def lock_present(paths: Iterable[str]) -> set[str]:
    """Which of these folders and of those above them exist. They are locked by id: a lock on a
    missing path would be on a gap, for which others who add folders would wait in a circle."""
    found: set[str] = set()
    for some in slices({each for path in paths for each in ancestors(path)}):
        ids = db.session.scalars(select(Folder.id).where(Folder.path.in_(some))).all()
        present = select(Folder.path).where(Folder.id.in_(ids)).with_for_update(read=True)
        found |= set(db.session.scalars(present)) if ids else set()
    return found


def add_rows(folders: Iterable[tuple[str, datetime, int | None]]) -> None:
    """Insert rows (path, time, person), except those that another transaction has inserted."""
    rows = [
        {
            "path": path,
            "parent": parent_of(path),
            "created_at": moment,
            "created_by": person,
            **folder_keys(path),
        }
        for path, moment, person in folders
    ]
    if rows:
        db.session.execute(insert_if_absent(), rows)


def insert_if_absent() -> Insert:
    """An INSERT that leaves a row alone that exists."""
    if db.engine.dialect.name == "mysql":
        return mysql.insert(TABLE).on_duplicate_key_update(path=TABLE.c.path)
    return sqlite.insert(TABLE).on_conflict_do_nothing()


class FolderRows:
    """Adds the rows of the folders of all files: once in `flask prepare`, and again and again by
    the clock for files of an earlier release, which makes none; a batch of files at a time, as the
    keys of a table (database/stored_keys.py)."""

    name = "folders of files"
    model = File

    def refresh_batch(self, after: int, most: int, store: Store) -> int | None:
        """Add the rows for the files behind an id."""
        query = select(File.id, File.folder, File.created_at, File.owner_id, File.removed_at)
        files = db.session.execute(query.where(File.id > after).order_by(File.id).limit(most)).all()
        wanted = dict(reversed(list(folders_of(files))))
        missing = set(wanted)
        for some in slices(wanted):
            missing -= set(db.session.scalars(select(Folder.path).where(Folder.path.in_(some))))
        db.session.rollback()
        if missing:
            store(fill_rows, [(path, *wanted[path]) for path in sorted(missing)])
        return files[-1].id if len(files) == most else None


def folders_of(files: Iterable[Any]) -> Iterator[tuple[str, tuple[datetime, int]]]:
    """The folders of files that are not removed, with time and owner of the file."""
    for file in files:
        if file.removed_at is None:
            for path in ancestors(file.folder):
                yield path, (file.created_at, file.owner_id)


@unrecorded
def fill_rows(folders: list[tuple[str, datetime, int]]) -> None:
    add_rows(folders)
