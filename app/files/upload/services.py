"""Storing files: those of a form, and those of the original program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.current import settings
from app.database import failures
from app.database.constraints import violates
from app.database.engine import db
from app.database.service import after_commit, permitted, service
from app.errors import Conflict, DomainError
from app.files import cache, queries
from app.files.models import EXTENSION_LENGTH, NAME_LENGTH, UNIQUE_VERSION, File
from app.files.names import CleanPath, clean_path, numbered, printable
from app.files.rules import check_file
from app.files.services import recorded
from app.files.storage.folder import Incoming, remove_stored
from app.history.services import Change, new_batch_id, record
from app.text import N_, fold
from app.times import now

INSERT_ATTEMPTS = 5


@dataclass(frozen=True)
class StoredFile:
    id: int
    path: str
    version: int
    sha256: str
    size: int


@dataclass(frozen=True)
class SentFile:
    """A file of a form: its name as it was sent, and its content as it was received; or a part that
    is damaged, and `error` says why."""

    name: str
    incoming: Incoming | None
    with_folder: bool = False
    error: DomainError | None = None


@dataclass(frozen=True)
class UploadResult:
    """What became of a sent file: it was stored, or `error` says why not. `path` is the checked
    one, or the sent one."""

    path: str
    sent: CleanPath | None = None
    stored: StoredFile | None = None
    error: DomainError | None = None


@permitted(Role.EDITOR)
def store_uploads(actor: Actor, files: Sequence[SentFile]) -> list[UploadResult]:
    """Store the files of one form, each in a transaction of its own, so that one that is refused
    does not affect the others. Several files are one batch."""
    batch_id = new_batch_id() if len(files) > 1 else None
    return [store_sent(actor, file, batch_id) for file in files]


def store_sent(actor: Actor, file: SentFile, batch_id: str | None) -> UploadResult:
    """Store one file of a form; a refusal, or an error of the database, is its result."""
    shown = printable(file.name)
    if file.error is not None or file.incoming is None:
        return UploadResult(shown, error=file.error)
    try:
        path = clean_path(file.name, file.with_folder)
        shown = path.path
        stored = store(actor, file.incoming, path, batch_id, owner_id=actor.person_id)
    except DomainError as error:
        file.incoming.discard()
        return UploadResult(shown, error=error)
    except failures.DATABASE_ERRORS as error:
        file.incoming.discard()
        return UploadResult(shown, error=failures.refuse(error, "a file was not stored"))
    return UploadResult(shown, path, stored)


@permitted(Role.EDITOR)
def store_upload(actor: Actor, path: CleanPath, incoming: Incoming) -> StoredFile:
    """Check a received file and make it the next version of the actor's file of that path."""
    return store(actor, incoming, path, batch_id=None, owner_id=actor.person_id)


def store(
    actor: Actor, incoming: Incoming, path: CleanPath, batch_id: str | None, **columns: Any
) -> StoredFile:
    """Check and store a received file, then insert its row with these columns.

    The file is on disk under its stored name before the row exists, and is deleted again if the row
    certainly does not. If the answer to the commit is lost, the row may exist: then the file stays,
    and `flask purge-files` deletes it if necessary.
    """
    incoming.finish()
    content_type = check_file(path, incoming, settings().upload_extensions)
    extension = path.extension[:EXTENSION_LENGTH]
    stored_name = incoming.store(extension)
    new_row = partial(
        File,
        folder=path.folder,
        name=path.name,
        extension=extension,
        size=incoming.size,
        sha256=incoming.sha256,
        content_type=content_type,
        stored_name=stored_name,
        sent_name=None if path.sent == path.path else path.sent,
        **columns,
    )
    try:
        return insert_next(actor, new_row, batch_id)
    except (DomainError, *failures.DATABASE_ERRORS) as error:
        if isinstance(error, DomainError) or failures.left_nothing(error):
            remove_stored(incoming.folder, stored_name)
        raise


def insert_next(actor: Actor, new_row: "partial[File]", batch_id: str | None) -> StoredFile:
    """Insert the next version. Two uploads at the same time can choose the same number: the
    database accepts one, and the other is numbered again in a new transaction."""
    for _attempt in range(INSERT_ATTEMPTS):
        try:
            return insert_version(actor, new_row, batch_id)
        except IntegrityError as error:
            if not violates(error, UNIQUE_VERSION):
                raise
    raise Conflict(N_("This file is being uploaded several times at once. Try again."))


@service(Role.EDITOR)
def insert_version(actor: Actor, new_row: "partial[File]", batch_id: str | None) -> StoredFile:
    """Insert it as the version after the largest of its path, and record that."""
    row = new_row()
    set_version(row)
    same = queries.versions_of(row)
    # The versions of a removed file stay as they are, so that it can be restored.
    current = (*same, File.replaced_at.is_(None), File.removed_at.is_(None))
    if row.created_at and has_newer(row.created_at, current):
        row.replaced_at = now()
    else:
        db.session.execute(update(File).where(*current).values(replaced_at=now()))
    db.session.add(row)
    db.session.flush()
    change = Change(row.id, after=recorded(row), version=row.version)
    record(actor, "file.create", change, batch_id=batch_id)
    after_commit(cache.invalidate)
    return StoredFile(row.id, row.path, row.version, row.sha256, row.size)


def set_version(row: File) -> None:
    """Give a new row the version after the last one of its path. If that was sent under another
    name, which was changed into this one, it is another file: then the name gets a number."""
    sent, name = row.sent_path, row.name
    for row.name in numbered(name):
        query = select(File).where(*queries.versions_of(row)).order_by(File.version.desc())
        last = db.session.scalars(query.limit(1)).first()
        if last is None or last.sent_path == sent:
            break
    else:
        raise Conflict(N_("There are too many files of this name."))
    row.version = 1 + (last.version if last else 0)
    row.sent_name = None if sent == row.path else sent
    row.name_key, row.search_key = fold(row.name)[:NAME_LENGTH], fold(f"{row.folder}/{row.name}")


def has_newer(moment: datetime, current: queries.Conditions) -> bool:
    """True if the current version is newer than an adopted file."""
    query = select(File.id).where(*current, File.created_at > moment)
    return db.session.scalar(query.limit(1)) is not None
