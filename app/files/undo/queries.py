"""Which entries about files can be undone, and which bulk changes of files and folders."""

from collections.abc import Collection, Sequence

from sqlalchemy import Exists, ScalarSelect, Subquery, func, literal, select, union_all
from sqlalchemy.orm import aliased

from app.actor import Actor, Role
from app.database.engine import db
from app.database.keyset import Query
from app.database.service import permitted
from app.files.folders.models import Folder
from app.files.models import File
from app.files.rules import KIND, is_restorable, may_change, restorable_since
from app.files.undo.folders import is_where_moved
from app.files.undo.services import UNDOABLE
from app.history.bulk import is_action
from app.history.models import HistoryEntry
from app.removed import period

LOOKED_AT = 50  # entries of a batch


@permitted(Role.VIEWER)
def find_undoable(actor: Actor, entries: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each the newest about its version, that the actor can undo now."""
    able = [entry for entry in entries if entry.action in UNDOABLE]
    query = select(File).where(File.id.in_([entry.subject_id for entry in able]))
    files = {file.id: file for file in db.session.scalars(query) if may_change(actor, file)}
    return {
        entry.id
        for entry in able
        if entry.subject_id in files and is_undoable(entry, files[entry.subject_id])
    }


def is_undoable(entry: HistoryEntry, file: File) -> bool:
    if entry.action == "file.delete":
        return file.removed_at is not None and file.removed_at > restorable_since()
    if entry.action == "file.move" and not is_where_moved(entry.after, file):
        return False
    return file.removed_at is None and file.replaced_at is None


@permitted(Role.VIEWER)
def find_undoable_bulk(actor: Actor, heads: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each of which stands for its batch, of which something can probably
    be undone. A batch may have thousands of entries, so only the newest are looked at; the service
    decides."""
    queries = [query for head in heads if (query := undoable_in(actor, head)) is not None]
    return set(db.session.scalars(union_all(*queries))) if queries else ()


def undoable_in(actor: Actor, head: HistoryEntry) -> Query | None:
    """The query for the id of a head, if one of its newest entries can be undone; None if it need
    not be asked."""
    some = newest_of_batch(head)
    if head.subject_kind == "folder":
        if not actor.may_write and head.actor_id != actor.person_id:
            return None
        found = find_folder(some, head.action)
    else:
        found = find_version(some, head.action)
        if not actor.may_write:
            found = found.where(~has_files_of_others(head, actor))
    return select(literal(head.id)).select_from(found.limit(1).subquery())


def newest_of_batch(head: HistoryEntry) -> Subquery:
    entry = HistoryEntry
    which = (entry.batch_id == head.batch_id, is_action(head.action))
    query = select(entry.id, entry.subject_id, entry.at)
    query = query.where(*(which if head.batch_id else (entry.id == head.id,)))
    return query.order_by(entry.id.desc()).limit(LOOKED_AT).subquery()


def has_files_of_others(head: HistoryEntry, actor: Actor) -> Exists:
    """Whether some of the newest entries are about files that the actor does not own."""
    some, file = newest_of_batch(head), aliased(File)
    query = select(some.c.id).join(file, file.id == some.c.subject_id)
    return query.where(file.owner_id != actor.person_id).exists()


def find_version(some: Subquery, action: str) -> Query:
    """Of some entries about versions those that can be undone."""
    query = select(some.c.id).join(File, File.id == some.c.subject_id)
    if action == "file.delete":
        return query.where(is_restorable(), File.removed_at <= some.c.at)
    query = query.where(File.removed_at.is_(None), File.replaced_at.is_(None))
    return query.where(some.c.id == last_about("file", some))


def find_folder(some: Subquery, action: str) -> Query:
    """Of some entries about folders those that can be undone."""
    if action == "folder.delete":
        query = select(some.c.id).where(period.is_restorable(KIND, some.c.at))
        return query.where(some.c.id == last_about("folder", some))
    query = select(some.c.id).join(Folder, Folder.id == some.c.subject_id)
    return query.where(some.c.id == last_about("folder", some))


def last_about(kind: str, some: Subquery) -> ScalarSelect[int]:
    """The newest entry about the subject of one of them."""
    entry = aliased(HistoryEntry)
    same = (entry.subject_kind == kind, entry.subject_id == some.c.subject_id)
    return select(func.max(entry.id)).where(*same).scalar_subquery()
