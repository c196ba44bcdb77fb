"""Reading files: one by id or name, and its versions, for members."""

import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, union_all

from app.actor import Actor, Role
from app.auth.models import Person
from app.database.engine import db
from app.database.limits import slices
from app.database.service import permitted
from app.errors import NotFound
from app.files.models import File
from app.text import N_

NO_FILE = N_("No file has this name. If it was renamed or moved, search for it on the Files page.")

Conditions = tuple[ColumnElement[bool], ...]


@permitted(Role.VIEWER)
def load_file(actor: Actor, file_id: int) -> File:
    """A file by id, also an older version; NotFound if there is none or it was removed."""
    return present_file(file_id)


def present_file(file_id: int) -> File:
    """The file of an id, unless it was removed; for services that have checked the actor."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None or file.removed_at is not None:
        raise no_such_file()
    return file


def no_such_file() -> NotFound:
    return NotFound(N_("There is no such file."))


@permitted(Role.VIEWER)
def find_file(actor: Actor, sent: str) -> File:
    """The newest file of a name, whoever owns it. `folder/name` names the one in that folder.
    Stored names, ours and those of the original program, are found too."""
    sent = unicodedata.normalize("NFC", sent)
    folder, _slash, name = sent.rpartition("/")
    by_name = select(File.id).where(File.name == name, File.replaced_at.is_(None))
    if folder:
        by_name = by_name.where(File.folder == folder)
    # Each by its own index: for one OR over three columns SQLite reads the whole table, and for an
    # IN (...) instead of the join MariaDB would.
    found = union_all(
        by_name,
        select(File.id).where(File.stored_name == sent),
        select(File.id).where(File.former_name == sent),
    ).subquery()
    query = select(File).join(found, found.c.id == File.id).where(File.removed_at.is_(None))
    query = query.order_by(File.created_at.desc(), File.id.desc())
    file = db.session.scalars(query.limit(1)).first()
    if file is None:
        raise NotFound(NO_FILE)
    return file


@permitted(Role.VIEWER)
def list_newest(actor: Actor, most: int) -> list[File]:
    """The files that were uploaded last, newest first."""
    current = (File.replaced_at.is_(None), File.removed_at.is_(None))
    index = "FORCE INDEX (ix_file_listed_created_at)"  # MariaDB may prefer to sort all files
    query = select(File).where(*current).with_hint(File, index, dialect_name="mysql")
    return list(
        db.session.scalars(query.order_by(File.created_at.desc(), File.id.desc()).limit(most))
    )


def lock_owners(ids: Iterable[int]) -> None:
    """Lock the rows of the owners of files until the service ends, before anything else is read: of
    two who change the versions of a file the second sees what the first did."""
    query = select(Person.id).where(Person.id.in_(set(ids))).order_by(Person.id)
    db.session.execute(query.with_for_update())


def owners_of(ids: Collection[int]) -> set[int]:
    """Who owns the files of some ids."""
    found = set[int]()
    for some in slices(ids):
        found.update(db.session.scalars(select(File.owner_id).where(File.id.in_(some)).distinct()))
    return found


def has_copy(row: File) -> bool:
    """True if a version of this new file has the same content. With a former name it is any file
    of this name, wherever it was moved: a link of the original program leads to the file with the
    name in the link."""
    query = select(File.id).where(File.owner_id == row.owner_id, File.sha256 == row.sha256)
    if row.former_name is not None:
        query = query.where(File.former_name == row.former_name)
    else:
        same_sent = and_(File.folder == row.folder, File.sent_name == row.sent_path)
        query = query.where(or_(and_(*versions_of(row)), same_sent))
    return db.session.scalar(query.limit(1)) is not None


@permitted(Role.VIEWER)
def list_versions(actor: Actor, file: File) -> list[File]:
    """All versions of a file: the current one, then the others, the last uploaded first."""
    query = select(File).where(*versions_of(file), File.removed_at.is_(None))
    order = (File.replaced_at.is_not(None), File.created_at.desc(), File.version.desc())
    return list(db.session.scalars(query.order_by(*order)))


@permitted(Role.VIEWER)
def may_change_some(actor: Actor) -> bool:
    """True for those who may remove or restore any file at all: editors, and owners of files,
    removed ones included."""
    own = select(File.id).where(File.owner_id == actor.id).limit(1)
    return actor.may_write or db.session.scalar(own) is not None


def same_file(owner_id: Any, folder: Any, name: Any) -> Conditions:
    """The condition for the versions of one file."""
    return (File.owner_id == owner_id, File.folder == folder, File.name == name)


def same_name(other: type[File]) -> Conditions:
    """The condition for the versions of the same file, in a query with another alias of it."""
    return same_file(other.owner_id, other.folder, other.name)


def versions_of(file: File) -> Conditions:
    """The condition for the versions of the same file."""
    return same_file(file.owner_id, file.folder, file.name)
