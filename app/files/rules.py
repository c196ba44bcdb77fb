"""Which files are accepted, who may remove and restore one, and for how long."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement

from app.actor import Actor
from app.errors import Forbidden, Invalid
from app.files.models import File, FileRow
from app.files.names import CleanPath
from app.files.storage.content import content_type
from app.files.storage.folder import Incoming
from app.removed import period
from app.text import N_

KIND = "file"  # in the table of emptied lists


def check_file(path: CleanPath, incoming: Incoming, allowed: Collection[str]) -> str:
    """The Content-Type of a received file; refuses it by size, disk space, content, or an extension
    that is not `allowed`."""
    if incoming.problem is not None:
        raise incoming.problem
    check_extension(path.extension, allowed)
    found = content_type(incoming.path, path.extension)
    if found is None:
        raise Invalid(N_("The content is not a .%(extension)s file.", extension=path.extension))
    return found


def check_extension(extension: str, allowed: Collection[str]) -> None:
    """Invalid unless it is allowed; if none is named, all are."""
    if allowed and extension not in allowed:
        raise Invalid(N_("File type not allowed. Allowed: %(list)s.", list=list(allowed)))


def may_change(actor: Actor, file: File | FileRow) -> bool:
    """True for editors, and for the owner of the file whatever their role is now."""
    return actor.may_write or (actor.is_signed_in and file.owner_id == actor.id)


def check_may_change(actor: Actor, file: File | FileRow) -> None:
    """Forbidden for those who may not remove and restore this file."""
    check_owned(actor, [file.owner_id])


def check_owned(actor: Actor, owner_ids: Collection[int]) -> None:
    """Forbidden for those who may not change all files of these people."""
    if not actor.may_write and any(owner_id != actor.person_id for owner_id in owner_ids):
        raise Forbidden(N_("Only the owner and editors can do this."))


def restorable_since() -> datetime:
    """A file removed after this moment can be restored; others are deleted permanently."""
    return period.restorable_since(KIND)


def is_restorable() -> ColumnElement[bool]:
    """The condition for removed files that can be restored."""
    return period.is_restorable(KIND, File.removed_at)
