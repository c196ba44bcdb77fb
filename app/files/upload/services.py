"""Storing files: those of a form, and those of the original program.

Files are on disk under their stored names before their rows exist, and are deleted again if the
rows certainly do not. If the answer to a commit is lost, the rows may exist: then the files stay,
and `flask purge-files` deletes them if necessary.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.actor import Actor, Role
from app.auth.queries import check_still_permitted
from app.concurrency import yield_to_hub
from app.current import settings
from app.database import failures
from app.database.service import permitted, service
from app.errors import Conflict, DomainError, Unavailable
from app.files import cache, queries
from app.files.folders.checks import find_taken
from app.files.folders.paths import clean_folder
from app.files.folders.rows import ensure_folders
from app.files.models import EXTENSION_LENGTH, File
from app.files.names import CleanPath, clean_path, printable
from app.files.rules import check_file
from app.files.services import recorded
from app.files.storage.folder import Incoming, refusal_of, remove_stored, store_together
from app.files.upload.batches import UploadBatch, batch_of
from app.files.upload.versions import Versions
from app.history.services import Change, new_batch_id, record
from app.text import N_, Message

# A form may have thousands of files. On SQLite nobody else writes during a transaction.
ROWS = 100
# How long the rows of a form may take; what is left then is refused.
STORE_SECONDS = 60
TOO_MANY = N_("There are too many files of this name.")


class AlreadyStored(Conflict):
    """A file that is to be stored once is there already, with this content and name."""


@dataclass(frozen=True)
class StoredFile:
    id: int
    path: str
    version: int
    sha256: str
    size: int
    repeated: bool = False  # an earlier request of the same upload has stored it


@dataclass
class ReceivedFile:
    """A file of a form, or one to adopt, on its way into the storage folder: its name as it was
    sent, and its content. In the end it is `stored`, or `error` says why not."""

    name: str
    incoming: Incoming | None
    with_folder: bool = False
    guessed_encoding: str = ""  # of the name; empty if it was certain
    error: DomainError | None = None
    path: CleanPath | None = None
    columns: dict[str, Any] = field(default_factory=dict)  # of its row
    stored: StoredFile | None = None

    @property
    def shown_path(self) -> str:
        return self.path.path if self.path else printable(self.name)


@permitted(Role.EDITOR)
def store_uploads(
    actor: Actor,
    files: Sequence[ReceivedFile],
    into: str = "",
    batch: UploadBatch | None = None,
) -> None:
    """Store the files of one form in the folder `into`, a path as it was sent; one that is refused
    does not affect the others. Several files are one batch, and so are all forms with the same key:
    of these a file that is sent again, because the response was lost, is not stored again."""
    for file in files:
        check(file, actor.person_id, into)
        yield_to_hub()
    if batch is not None:
        store(actor, files, batch.id, note=placed(batch, files))
    elif len(files) <= ROWS:
        store(actor, files, new_batch_id() if len(files) > 1 else None)
    else:
        size = sum(file.columns.get("size", 0) for file in files)
        whole = UploadBatch(new_batch_id(), actor.person_id, into, len(files), size)
        store(actor, files, whole.id, note=placed(whole, files))
        whole.end()


@permitted(Role.EDITOR)
def end_upload(actor: Actor, key: str) -> None:
    """Note that no more forms with this key will come, so that the upload can be undone."""
    batch_of(actor, key).end()


def placed(batch: UploadBatch, files: Sequence[ReceivedFile]) -> UploadBatch:
    """A batch of files in folders of the form, if it is not sent into a folder, with the outermost
    one of these."""
    folders = (file.path.folder.partition("/")[0] for file in files if file.path)
    folder = batch.folder or next(filter(None, folders), "")
    return msgspec.structs.replace(batch, folder=folder)


def check(file: ReceivedFile, owner_id: int, into: str) -> None:
    """Check the folder, the name and the content of a file."""
    if file.incoming is None or file.error is not None:
        return
    try:
        path = clean_path(file.name, file.with_folder, clean_folder(into))
        content_type = check_file(path, file.incoming, settings().upload_extensions)
    except DomainError as error:
        file.incoming.discard()
        file.error = error
    else:
        file.path = path
        file.columns = columns_of(path, file.incoming, content_type, owner_id)


def columns_of(
    path: CleanPath, incoming: Incoming, content_type: str, owner_id: int
) -> dict[str, Any]:
    """The columns of every file's row that are known before it is stored."""
    return {
        "owner_id": owner_id,
        "folder": path.folder,
        "name": path.name,
        "sent_name": None if path.sent == path.path else path.sent,
        "extension": path.extension[:EXTENSION_LENGTH],
        "size": incoming.size,
        "sha256": incoming.sha256,
        "content_type": content_type,
    }


def store(
    actor: Actor,
    files: Sequence[ReceivedFile],
    batch_id: str | None,
    once: bool = False,
    note: UploadBatch | None = None,
) -> None:
    """Store the checked files of one owner, and insert their rows, some at a time. With `once` a
    copy of a stored version is refused. `note` is the batch if Redis is to know of it."""
    ready = [(file, file.incoming) for file in files if file.incoming and not file.error]
    names = store_together([(incoming, file.columns["extension"]) for file, incoming in ready])
    for (file, incoming), name in zip(ready, names, strict=True):
        if isinstance(name, str):
            file.columns["stored_name"] = name
        else:
            incoming.discard()
            file.error = refusal_of(name)
    moved = [file for file, _incoming in ready if not file.error]
    end = time.monotonic() + STORE_SECONDS
    for start in range(0, len(moved), ROWS):
        some = moved[start : start + ROWS]
        if time.monotonic() < end:
            insert(actor, some, batch_id, once, note)
        else:
            refuse(some, Unavailable(N_("Storing the files took too long. Send this one again.")))


def insert(
    actor: Actor,
    files: Sequence[ReceivedFile],
    batch_id: str | None,
    once: bool,
    note: UploadBatch | None,
) -> None:
    """Insert the rows of stored files in one transaction. If one of them makes it fail, each has a
    transaction of its own."""
    try:
        stored = insert_versions(actor, [file.columns for file in files], batch_id, once, note)
    except DomainError as error:
        refuse(files, error)
    except failures.DATABASE_ERRORS as error:
        refusal = failures.refuse(error, "files were not stored")
        if len(files) > 1 and failures.classify(error) is failures.Kind.FAULT:
            for file in files:
                insert(actor, [file], batch_id, once, note)
        else:
            refuse(files, refusal, failures.left_nothing(error))
    else:
        for file, row in zip(files, stored, strict=True):
            if isinstance(row, Message):
                refuse([file], Conflict(row))
                continue
            file.stored = row
            if row.repeated:
                remove_stored(settings().files_dir, file.columns["stored_name"])


def refuse(files: Sequence[ReceivedFile], error: DomainError, left_nothing: bool = True) -> None:
    """Refuse files that are in the storage folder, and delete them unless their rows may exist."""
    for file in files:
        file.error = error
        if left_nothing:
            remove_stored(settings().files_dir, file.columns["stored_name"])


@service(Role.EDITOR)
def insert_versions(
    actor: Actor,
    files: Sequence[dict[str, Any]],
    batch_id: str | None,
    once: bool,
    note: UploadBatch | None,
) -> Sequence[StoredFile | Message]:
    """Insert the rows of files of one owner as the next versions of their names, and record that;
    for a file that has no place, why not. With `once` AlreadyStored if one has a copy, and nothing
    else is refused. A file of this batch that is current already, with the same content, stays as
    it is.

    The upload may have taken long, so the actor's role is checked again."""
    owner_id = files[0]["owner_id"]
    queries.lock_owners([owner_id])
    check_still_permitted(actor, Role.EDITOR)
    rows = [File(**columns) for columns in files]
    if once and any(map(queries.has_copy, rows)):
        raise AlreadyStored()
    sent = [row.path for row in rows]
    taken = {} if once else find_taken(sent)
    free = [row for row in rows if row.path not in taken]
    ensure_folders({row.folder for row in free}, owner_id)
    versions = Versions(owner_id, batch_id)
    inserted = versions.insert(free)
    record_uploads(actor, inserted, batch_id)
    also = note.noted(len(inserted), sum(row.size for row in inserted)) if note else None
    cache.invalidate_folders({row.folder for row in free}, also)
    return [
        taken.get(path) or stored_file(versions.repeated.get(row), row)
        for path, row in zip(sent, rows, strict=True)
    ]


def stored_file(repeated: File | None, row: File) -> StoredFile | Message:
    """What became of a new row: an equal one that is there already, itself, or nothing, because no
    name is left."""
    there = repeated or row
    if not there.id:
        return TOO_MANY
    return StoredFile(
        there.id, there.path, there.version, there.sha256, there.size, repeated is not None
    )


def record_uploads(actor: Actor, rows: Sequence[File], batch_id: str | None) -> None:
    """Record new versions. In the feed the first in each outermost folder stands for the others."""
    folders: dict[str, list[Change]] = defaultdict(list)
    for row in rows:
        change = Change(row.id, after=recorded(row), version=row.version)
        folders[row.folder.partition("/")[0]].append(change)
    for changes in folders.values():
        record(actor, "file.create", *changes, batch_id=batch_id)
