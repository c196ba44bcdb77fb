"""The rules of shared files: keeping, finding, counting, removing, bringing back."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select, union_all, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.actor import Role
from app.auth.models import Person
from app.current import settings
from app.database.engine import db
from app.database.service import after_commit, is_busy, transaction
from app.errors import Conflict, DomainError, Forbidden, Invalid, NoSpace, NotFound, TooLarge
from app.files import cache, content, storage
from app.files.models import ENDING_LENGTH, NAME_LENGTH, File
from app.files.names import CleanPath
from app.files.purging import purge_removed
from app.files.storage import Incoming
from app.text import fold
from app.times import now
from app.web.formatting import format_size

TRIES = 5


@dataclass(frozen=True)
class StoredFile:
    """What became of an upload."""

    id: int
    version: int
    sha256: str
    size: int


@dataclass(frozen=True)
class Restored:
    """What came back: the newest version of it, and the one that is present now."""

    name: str
    version: int
    present: int
    present_id: int


def store_upload(owner_id: int, path: CleanPath, incoming: Incoming, **adopted: Any) -> StoredFile:
    """Check what came in and make it the next version of the owner's file of that path. A file
    taken over from the original brings its `created_at` and `former_name`.

    The bytes are on disk under their stored name before the row names them, and are deleted again
    when it is sure that no row does. When the answer to a commit is lost, the row may stand: then
    they stay, and `purge_strays()` sees to them.
    """
    incoming.finish()
    content_type = check_file(path, incoming)
    ending = path.ending[:ENDING_LENGTH]
    stored_name = incoming.keep(ending)
    new = partial(
        File,
        owner_id=owner_id,
        folder=path.folder,
        name=path.name,
        ending=ending,
        size=incoming.size,
        sha256=incoming.sha256,
        content_type=content_type,
        stored_name=stored_name,
        name_key=fold(path.name)[:NAME_LENGTH],
        search_key=fold(f"{path.folder}/{path.name}"),
        **adopted,
    )
    try:
        return _insert_next(new)
    except (DomainError, DBAPIError, PoolTimeout) as error:
        # Refused, no connection to be had, or busy to the end. Of other errors nobody knows.
        if not isinstance(error, DBAPIError) or is_busy(error):
            storage.remove(incoming.folder, stored_name)
        raise


def check_file(path: CleanPath, incoming: Incoming) -> str:
    """The Content-Type of what came in, or a refusal by size, space, ending or content."""
    if incoming.problem == storage.TOO_LARGE:
        raise TooLarge(_("A file has at most %(size)s.", size=format_size(incoming.limit)))
    if incoming.problem == storage.NO_SPACE:
        raise NoSpace()
    check_ending(path.ending)
    found = content.content_type(incoming.path, path.ending)
    if found is None:
        raise Invalid(_("The content is not what the ending .%(e)s says.", e=path.ending))
    return found


def check_ending(ending: str) -> None:
    """One of the endings that this installation takes."""
    allowed = settings().upload_extensions
    if ending not in allowed:
        raise Invalid(_("Only these endings are taken: %(list)s.", list=", ".join(allowed)))


def _insert_next(new: "partial[File]") -> StoredFile:
    """Insert the next version. Two uploads at once may choose the same number; the database lets
    one of them in, and the other counts again in a transaction that sees it."""
    for _attempt in range(TRIES):
        try:
            return _insert(new)
        except IntegrityError:
            continue
    raise Conflict(_("This file is being uploaded several times at once. Try again."))


@transaction
def _insert(new: "partial[File]") -> StoredFile:
    row = new()
    same = _same(row.owner_id, row.folder, row.name)
    row.version = 1 + (db.session.scalar(select(func.max(File.version)).where(*same)) or 0)
    # A removed file keeps its present version, so that it can be brought back.
    present = (*same, File.replaced_at.is_(None), File.removed_at.is_(None))
    if row.created_at and _has_newer(row.created_at, present):
        row.replaced_at = now()
    else:
        db.session.execute(update(File).where(*present).values(replaced_at=now()))
    db.session.add(row)
    db.session.flush()
    after_commit(cache.changed)
    return StoredFile(row.id, row.version, row.sha256, row.size)


def _has_newer(moment: datetime, present: tuple[ColumnElement[bool], ...]) -> bool:
    """Whether the present version is newer than what is taken over from the original."""
    query = select(File.id).where(*present, File.created_at > moment)
    return db.session.scalar(query.limit(1)) is not None


def get_file(file_id: int) -> File:
    """A file by id, older versions too; 404 when it is not there or was removed."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None or file.removed_at is not None:
        raise NotFound(_("There is no such file."))
    return file


def find_by_name(sent: str) -> File:
    """The newest file of a name, whoever it is from. `folder/name` asks for one folder's; a stored
    name, which the original program gave out, finds its file too."""
    sent = unicodedata.normalize("NFC", sent)
    folder, _slash, name = sent.rpartition("/")
    present = select(File.id).where(File.name == name, File.replaced_at.is_(None))
    if folder:
        present = present.where(File.folder == folder)
    # Each by its own index: for one OR over three columns SQLite reads the whole table, and for an
    # IN (...) instead of the join MariaDB would.
    found = union_all(
        present,
        select(File.id).where(File.stored_name == sent),
        select(File.id).where(File.former_name == sent),
    ).subquery()
    query = select(File).join(found, found.c.id == File.id).where(File.removed_at.is_(None))
    query = query.order_by(File.created_at.desc(), File.id.desc())
    file = db.session.scalars(query.limit(1)).first()
    if file is None:
        raise NotFound(_("There is no such file."))
    return file


def has_copy(owner_id: int, path: CleanPath, sha256: str, former_name: str | None) -> bool:
    """Whether a version of this file has these very bytes, and the former name if there is one: a
    link of the original leads to what carries the name that stands in it."""
    query = select(File.id).where(*_same(owner_id, path.folder, path.name), File.sha256 == sha256)
    if former_name is not None:
        query = query.where(File.former_name == former_name)
    found = db.session.scalar(query.limit(1))
    db.session.rollback()
    return found is not None


def list_versions(file: File) -> list[File]:
    """All versions of a file, the newest first."""
    query = select(File).where(*_versions(file), File.removed_at.is_(None))
    return list(db.session.scalars(query.order_by(File.created_at.desc(), File.version.desc())))


def owner_name(file: File) -> str:
    """Who brought it."""
    return db.session.scalar(select(Person.name).where(Person.id == file.owner_id)) or ""


@transaction
def count_download(file_id: int) -> None:
    """One more person has it."""
    more = {"downloads": File.downloads + 1}
    db.session.execute(update(File).where(File.id == file_id).values(more))


@transaction
def remove_file(actor_id: int, file_id: int) -> str:
    """Remove a file with all its versions; returns its name. For UNDO_DAYS it can come back."""
    file = get_file(file_id)
    _check_may_change(actor_id, file)
    rows = update(File).where(*_versions(file), File.removed_at.is_(None))
    db.session.execute(rows.values(removed_at=now(), removed_by=actor_id))
    after_commit(cache.changed)
    after_commit(purge_removed)
    return file.name


@transaction
def restore_file(actor_id: int, file_id: int) -> Restored:
    """Bring back a removed file with the versions that went with it. Where the name was uploaded
    again meanwhile, the newest of all versions is the present one."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        raise NotFound(_("It is too late: this file was deleted for good."))
    _check_may_change(actor_id, file)
    # Locked, so that an upload at the same time cannot leave two present versions.
    query = select(File).where(*_versions(file)).with_for_update()
    query = query.order_by(File.created_at, File.version)
    rows = list(db.session.scalars(query.execution_options(populate_existing=True)))
    moment = file.removed_at
    back = [row for row in rows if row.removed_at == moment]
    if not back:  # deleted between the two queries
        raise NotFound(_("It is too late: this file was deleted for good."))
    for row in back:
        row.removed_at = row.removed_by = None
    *older, present = [row for row in rows if row.removed_at is None]
    present.replaced_at = None
    for row in older:
        row.replaced_at = row.replaced_at or now()
    after_commit(cache.changed)
    return Restored(file.name, back[-1].version, present.version, present.id)


def owns_files(person_id: int) -> bool:
    """Whether this person has uploaded anything that is still kept."""
    return db.session.scalar(select(File.id).where(File.owner_id == person_id).limit(1)) is not None


def _check_may_change(actor_id: int, file: File) -> None:
    """One's own file is one's own to remove and bring back, whatever the role now."""
    actor = db.session.get(Person, actor_id)
    if file.owner_id != actor_id and (actor is None or actor.role == Role.VIEWER):
        raise Forbidden(_("Only its owner and editors may do this."))


def _same(owner_id: int, folder: str, name: str) -> tuple[ColumnElement[bool], ...]:
    """The versions of one file: owner, folder and name say which."""
    return (File.owner_id == owner_id, File.folder == folder, File.name == name)


def _versions(file: File) -> tuple[ColumnElement[bool], ...]:
    """All versions of this one's file."""
    return _same(file.owner_id, file.folder, file.name)
