"""Removing files and folders: functions within a running service."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, select

from app.actor import Actor
from app.auth.models import Person
from app.database.engine import db
from app.database.limits import slices
from app.files.folders.checks import check_count
from app.files.folders.models import Folder
from app.files.folders.moving import lock_folder, lock_inside, update_files
from app.files.folders.paths import ancestors, inside
from app.files.listing import FileListing
from app.files.models import File, FileRow
from app.files.services import RECORDED, recorded
from app.history.services import Change, record
from app.text import N_

# Files and folders that are removed in one transaction.
REMOVE_MOST = 5_000
TOO_MANY = N_(
    "At most %(most)s files can be removed at once. Remove the folders in it one by one.",
    most=REMOVE_MOST,
)
COLUMNS = (
    File.id,
    File.owner_id,
    File.replaced_at,
    File.removed_at,
    File.removed_by,
    *(getattr(File, name) for name in RECORDED),
)


def check_removal(files: Sequence[File], folders: Sequence[Folder]) -> None:
    """Refuse to remove too much at once; to be called before the first removal."""
    rows = [select(Folder.id).where(inside(Folder.path, each.path)) for each in folders]
    rows += [
        select(File.id).where(*FileListing(folder=each.path).conditions(deep=True))
        for each in folders
    ]
    check_count(rows, REMOVE_MOST - len(files), TOO_MANY)


def remove_files(actor: Actor, which: ColumnElement[bool], batch_id: str, moment: datetime) -> int:
    """Remove all versions of these files, each with an entry; returns how many files."""
    present = (which, File.removed_at.is_(None))
    files = lock_files(select(File.id).where(*present, File.replaced_at.is_(None)))
    update_files(and_(*present), {"removed_at": moment, "removed_by": actor.id})
    owners = owner_names(files)
    changes = [
        Change(row.id, before=recorded(row, owners[row.owner_id]), version=row.version)
        for row in files
    ]
    record(actor, "file.delete", *changes, batch_id=batch_id)
    return len(files)


def lock_files(ids: Select[int]) -> Sequence[FileRow]:
    """The files of a query for ids, locked and in their order: as rows of some columns, because
    thousands of objects take seconds, in which the process answers nobody else."""
    query = ids.with_only_columns(*COLUMNS, maintain_column_froms=True)
    return db.session.execute(query.order_by(File.id).with_for_update(of=File)).all()


def owner_names(files: Iterable[FileRow]) -> dict[int, str]:
    """The names of the owners of some files, by id."""
    people = select(Person.id, Person.name).where(Person.id.in_({row.owner_id for row in files}))
    return {row.id: row.name for row in db.session.execute(people)}


def remove_folder(actor: Actor, folder: Folder, batch_id: str, moment: datetime) -> int:
    """Remove a folder with everything in it; returns how many files."""
    folder = lock_folder(folder.id)
    rows = lock_inside(folder.path)
    count = remove_files(actor, inside(File.folder, folder.path), batch_id, moment)
    delete_folders(actor, rows, batch_id)
    return count


def delete_folders(
    actor: Actor, rows: Sequence[Any], batch_id: str | None, undone: Mapping[int, int] | None = None
) -> None:
    """Delete the rows of folders, which are locked, each with an entry, from which it can be
    restored as it was: its path, and who made it and when. The outermost are written first, each
    with those in it: so the list of removed folders has them, see record(). `undone` are the
    entries that this undoes, by folder."""
    paths, trees = {row.path for row in rows}, defaultdict[str, list[Change]](list)
    for row in sorted(rows, key=attrgetter("path")):
        top = next(path for path in ancestors(row.path) if path in paths)
        made = {"created_at": row.created_at.isoformat(), "created_by": row.created_by}
        reverts_id = (undone or {}).get(row.id)
        trees[top].append(Change(row.id, before={"path": row.path, **made}, reverts_id=reverts_id))
    for changes in trees.values():
        record(actor, "folder.delete", *changes, batch_id=batch_id)
    for some in slices(row.id for row in rows):
        gone = delete(Folder).where(Folder.id.in_(some))
        db.session.execute(gone.execution_options(synchronize_session=False))
