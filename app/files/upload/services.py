"""Storing files: those of a form, and those of the original program.

Files are on disk under their stored names before their rows exist, and are deleted again if the
rows certainly do not. If the answer to a commit is lost, the rows may exist: then the files stay,
and `flask purge-files` deletes them if necessary.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.auth.queries import check_still_permitted
from app.concurrency import yield_to_hub
from app.current import settings
from app.database import failures
from app.database.failures import violates
from app.database.service import after_commit, permitted, service
from app.errors import Conflict, DomainError, Fault, NoSpace
from app.files import cache
from app.files.models import EXTENSION_LENGTH, UNIQUE_VERSION, File
from app.files.names import CleanPath, clean_path, printable
from app.files.rules import check_file
from app.files.services import recorded
from app.files.storage.folder import Incoming, is_no_space, remove_stored, store_together
from app.files.upload.versions import Versions
from app.history.services import Change, new_batch_id, record
from app.text import N_

log = logging.getLogger("gazetteer.files")

INSERT_ATTEMPTS = 5
# A form may have thousands of files. On SQLite nobody else writes during a transaction.
ROWS = 100


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


@dataclass
class NewFile:
    """A received file that was checked, and the columns of its row that are not those of every
    file."""

    incoming: Incoming
    path: CleanPath
    content_type: str
    owner_id: int
    columns: dict[str, Any] = field(default_factory=dict)
    stored_name: str = ""

    @property
    def extension(self) -> str:
        return self.path.extension[:EXTENSION_LENGTH]

    def row(self) -> File:
        """A new row; each attempt of a transaction has its own."""
        return File(
            owner_id=self.owner_id,
            folder=self.path.folder,
            name=self.path.name,
            sent_name=None if self.path.sent == self.path.path else self.path.sent,
            extension=self.extension,
            size=self.incoming.size,
            sha256=self.incoming.sha256,
            content_type=self.content_type,
            stored_name=self.stored_name,
            **self.columns,
        )


Outcome = StoredFile | DomainError


@permitted(Role.EDITOR)
def store_uploads(actor: Actor, files: Sequence[SentFile]) -> list[UploadResult]:
    """Store the files of one form; one that is refused does not affect the others. Several files
    are one batch."""
    batch_id = new_batch_id() if len(files) > 1 else None
    checked = [check_sent(file, actor.person_id) for file in files]
    outcomes = iter(store_all(actor, [c for c in checked if isinstance(c, NewFile)], batch_id))
    results = []
    for sent, file in zip(files, checked, strict=True):
        if isinstance(file, DomainError):
            results.append(UploadResult(printable(sent.name), error=file))
            continue
        outcome = next(outcomes)
        if isinstance(outcome, DomainError):
            results.append(UploadResult(file.path.path, error=outcome))
        else:
            results.append(UploadResult(file.path.path, file.path, outcome))
    return results


def check_sent(file: SentFile, owner_id: int) -> NewFile | DomainError:
    """A file of a form, if its name and content may be stored."""
    yield_to_hub()
    if file.incoming is None or file.error is not None:
        return file.error or Fault()
    try:
        return check(clean_path(file.name, file.with_folder), file.incoming, owner_id)
    except DomainError as error:
        file.incoming.discard()
        return error


def check(path: CleanPath, incoming: Incoming, owner_id: int, **columns: Any) -> NewFile:
    """A received file, if its content may be stored; DomainError otherwise."""
    incoming.finish()
    content_type = check_file(path, incoming, settings().upload_extensions)
    return NewFile(incoming, path, content_type, owner_id, columns)


@permitted(Role.EDITOR)
def store_upload(actor: Actor, path: CleanPath, incoming: Incoming) -> StoredFile:
    """Check a received file and make it the next version of the actor's file of that path."""
    return store(actor, check(path, incoming, actor.person_id), batch_id=None)


def store(actor: Actor, file: NewFile, batch_id: str | None) -> StoredFile:
    """Store one file."""
    (outcome,) = store_all(actor, [file], batch_id)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def store_all(actor: Actor, files: Sequence[NewFile], batch_id: str | None) -> list[Outcome]:
    """Store checked files of one owner and insert their rows, some at a time; returns what became
    of each."""
    names = store_together([(file.incoming, file.extension) for file in files])
    outcomes: dict[int, Outcome] = {}
    ready = []
    for number, (file, name) in enumerate(zip(files, names, strict=True)):
        if isinstance(name, str):
            file.stored_name = name
            ready.append(number)
        else:
            file.incoming.discard()
            outcomes[number] = refusal_of(name)
    for start in range(0, len(ready), ROWS):
        some = ready[start : start + ROWS]
        inserted = insert(actor, [files[number] for number in some], batch_id)
        outcomes.update(zip(some, inserted, strict=True))
    return [outcomes[number] for number in range(len(files))]


def refusal_of(error: OSError) -> DomainError:
    """The answer to a file that the disk did not take."""
    if is_no_space(error):
        return NoSpace()
    log.error("a file was not stored", exc_info=error)
    return Fault()


def insert(actor: Actor, files: Sequence[NewFile], batch_id: str | None) -> Sequence[Outcome]:
    """Insert the rows of stored files in one transaction. If one of them makes it fail, each has a
    transaction of its own."""
    try:
        return insert_next(actor, files, batch_id)
    except DomainError as error:
        refusal, left_nothing = error, True
        concerns_one = isinstance(error, Conflict)
    except failures.DATABASE_ERRORS as error:
        left_nothing = failures.left_nothing(error)
        concerns_one = failures.classify(error) is failures.Kind.FAULT
        refusal = failures.refuse(error, "files were not stored")
    if concerns_one and len(files) > 1:
        return [outcome for file in files for outcome in insert(actor, [file], batch_id)]
    if left_nothing:
        for file in files:
            remove_stored(file.incoming.folder, file.stored_name)
    return [refusal] * len(files)


def insert_next(
    actor: Actor, files: Sequence[NewFile], batch_id: str | None
) -> Sequence[StoredFile]:
    """Insert them as next versions. Two uploads at the same time can choose the same number: the
    database accepts one, and the other is numbered again in a new transaction."""
    for _attempt in range(INSERT_ATTEMPTS):
        try:
            return insert_versions(actor, files, batch_id)
        except IntegrityError as error:
            if not violates(error, UNIQUE_VERSION):
                raise
    raise Conflict(N_("This file is being uploaded several times at once. Try again."))


@service(Role.EDITOR)
def insert_versions(
    actor: Actor, files: Sequence[NewFile], batch_id: str | None
) -> Sequence[StoredFile]:
    """Insert the rows of files of one owner, and record that. The upload may have taken long."""
    check_still_permitted(actor, Role.EDITOR)
    rows = [file.row() for file in files]
    Versions(files[0].owner_id).insert(rows)
    changes = [Change(row.id, after=recorded(row), version=row.version) for row in rows]
    record(actor, "file.create", *changes, batch_id=batch_id)
    after_commit(cache.invalidate)
    return [StoredFile(row.id, row.path, row.version, row.sha256, row.size) for row in rows]
