"""Moving and renaming files and folders: functions within a running service.

All versions of a file move, the removed ones too, so that it is restored where it then is. A
version that was removed at the new place earlier keeps its number, and those that come get higher
ones: if it is restored, all are versions of one file, as after an upload of the same name, and what
was moved stays the current one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update
from sqlalchemy.orm import aliased

from app.current import settings
from app.database.engine import db, release_connection
from app.database.limits import slices
from app.errors import Invalid
from app.files.folders.checks import check_count, check_free, lock_place, no_such_folder
from app.files.folders.models import Folder
from app.files.folders.paths import inside, is_inside, moved, name_of, parent_of, path_in
from app.files.models import EXTENSION_LENGTH, FOLDER_LENGTH, File, join_path
from app.files.names import FOLDER_TOO_LONG, clean_name, extension_of
from app.files.queries import no_such_file, same_file, versions_of
from app.files.rules import check_extension
from app.files.search_keys import folder_key, folder_keys, keys
from app.files.storage.content import content_type
from app.files.storage.folder import path_of
from app.text import N_

# Versions, removed ones too, and folders that are moved in one transaction.
MOVE_MOST = 5_000
TOO_MANY = N_(
    "At most %(most)s files can be moved at once. Move the folders in it one by one.",
    most=MOVE_MOST,
)


Types = Mapping[int, str]  # Content-Types by the ids of versions


@dataclass(frozen=True)
class Move:
    """What was moved: its id, and its path before and after."""

    subject_id: int
    old: str
    new: str
    version: int | None = None


def check_move(files: Sequence[File], folders: Sequence[Folder]) -> None:
    """Refuse to move too much at once; to be called before the first move."""
    rows = [select(File.id).where(*versions_of(file)) for file in files]
    for folder in folders:
        rows.append(select(Folder.id).where(inside(Folder.path, folder.path)))
        rows.append(select(File.id).where(inside(File.folder, folder.path)))
    check_count(rows, MOVE_MOST, TOO_MANY)


def move_file(file: File, folder: str, name: str, types: Types) -> Move:
    """Move a file with all its versions to another folder or name, which nobody's file has. `types`
    is what read_types() found for this name before the transaction."""
    lock_place(folder)
    query = select(File).where(*versions_of(file)).with_for_update()
    rows = list(db.session.scalars(query.execution_options(populate_existing=True)))
    current = next((row for row in rows if row.id == file.id and row.removed_at is None), None)
    if current is None:  # moved or removed in the meantime
        raise no_such_file()
    old, new = current.path, join_path(folder, name)
    if old == new:
        return Move(current.id, old, new, current.version)
    check_free(new, "name" if name != current.name else "folder")
    if extension_of(name) != extension_of(current.name) and any(
        row.id not in types for row in rows
    ):
        raise Invalid(N_("Somebody else changed this file just now. Try again."))
    last = db.session.scalar(
        select(func.max(File.version)).where(*same_file(current.owner_id, folder, name))
    )
    for row in rows:
        row.folder, row.name, row.version = folder, name, row.version + (last or 0)
        row.expires_at = None  # the result of a job
        row.extension = extension_of(name)[:EXTENSION_LENGTH]
        row.content_type = types.get(row.id, row.content_type)
        if row.flaw != "name" or name != name_of(old):
            row.sent_name = None
            row.flaw = None if row.flaw == "name" else row.flaw
        for column, key in keys(folder, name).items():
            setattr(row, column, key)
    db.session.flush()
    return Move(current.id, old, new, current.version)


def read_types(file: File, name: str) -> Types:
    """The Content-Types under another name, if its file extension is another one; refused as an
    upload of this name would be. It reads the content of all versions, so it is called before the
    transaction and holds no connection while it reads."""
    extension = extension_of(name)
    if extension == extension_of(file.name):
        return {}
    try:
        check_extension(extension, settings().upload_extensions)
    except Invalid as error:
        raise Invalid(fields={"name": error.args[0]}) from None
    query = select(File.id, File.stored_name).where(*versions_of(file))
    stored = db.session.execute(query).all()
    release_connection()
    found = {}
    for file_id, stored_name in stored:
        kind = content_type(path_of(settings().files_dir, stored_name), extension)
        if kind is None:
            text = N_("The content is not a .%(extension)s file.", extension=extension)
            raise Invalid(fields={"name": text})
        found[file_id] = kind
    return found


def move_folder(folder_id: int, parent: str, name: str) -> Move:
    """Move a folder with everything in it to another folder or name."""
    folder = lock_folder(folder_id)
    old, new = folder.path, path_in(parent, name)
    if old == new:
        return Move(folder.id, old, new)
    if is_inside(parent, old):
        raise Invalid(fields={"folder": N_("A folder cannot be moved into itself.")})
    rows = lock_inside(old)
    lock_place(parent)
    check_free(new, "name" if name != folder.name else "folder")
    if max(len(moved(row.path, old, new)) for row in rows) > FOLDER_LENGTH:
        raise Invalid(FOLDER_TOO_LONG)
    move_rows(folder, rows, new)
    return Move(folder.id, old, new)


def lock_folder(folder_id: int) -> Folder:
    """The row of a folder, wherever it was moved just now, locked."""
    folder = db.session.get(Folder, folder_id, with_for_update=True, populate_existing=True)
    if folder is None:
        raise no_such_folder()
    return folder


def lock_inside(path: str) -> list[Folder]:
    """The rows of a folder and of those below it, in order, locked: uploads into them wait."""
    return list(
        db.session.scalars(
            select(Folder)
            .where(inside(Folder.path, path))
            .order_by(Folder.path)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def find_last_there(old: str, new: str) -> dict[int, int]:
    """Of the versions in a folder those of files of which the new place has removed versions: the
    highest number of these, by id."""
    there = aliased(File)
    query = (
        select(File.id, func.max(there.version))
        .join(
            there,
            and_(
                there.owner_id == File.owner_id,
                there.folder == prefixed(File.folder, old, new),
                there.name == File.name,
            ),
        )
        .where(inside(File.folder, old), inside(there.folder, new))
        .group_by(File.id)
    )
    return dict(db.session.execute(query).all())


def prefixed(column: Any, old: str, new: str) -> ColumnElement[str]:
    """A column whose value begins with `new` in place of `old`."""
    return literal(new) + func.substr(column, len(old) + 1)


def move_rows(folder: Folder, rows: list[Folder], new: str) -> None:
    """Change the paths of a folder, of those below it, and of all files in them, with the beginning
    of their search keys. Their numbers become higher than those of removed versions there; what was
    sent under another name counts as sent under the present one."""
    old = folder.path
    values = {
        "folder": prefixed(File.folder, old, new),
        "search_key": prefixed(File.search_key, folder_key(old), folder_key(new)),
        "sent_name": case((File.flaw == "name", File.sent_name), else_=None),
    }
    last = find_last_there(old, new)
    for some in slices(last):
        raised = File.version + case({each: last[each] for each in some}, value=File.id)
        update_files(File.id.in_(some), {**values, "version": raised})
    update_files(inside(File.folder, old), values)
    for row in rows:
        row.path = moved(row.path, old, new)
        row.parent = parent_of(row.path)
    folder.name_key = folder_keys(new)["name_key"]
    db.session.flush()


def update_files(which: ColumnElement[bool], values: Mapping[str, Any]) -> None:
    """Update files, some in each statement: one for thousands of rows would take longer than a
    statement may. The rows are locked, because this transaction may have begun before others that
    moved them."""
    query = select(File.id).where(which).order_by(File.id).with_for_update()
    update_versions(db.session.scalars(query).all(), values)


def update_versions(ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Update the rows of some versions, which are locked already."""
    for some in slices(ids):
        query = update(File).where(File.id.in_(some)).values(values)
        db.session.execute(query.execution_options(synchronize_session=False))


def named(name: str) -> str:
    """A name that was typed; Invalid beside its field."""
    try:
        return clean_name(name)
    except Invalid as error:
        raise Invalid(fields={"name": error.args[0]}) from None
