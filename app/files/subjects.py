"""What the history shows about files. An entry is about one version of a file."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db
from app.database.keyset import COUNT_MOST
from app.files.folders.addresses import folder_url
from app.files.folders.paths import how_moved
from app.files.models import File, join_path
from app.files.removed.queries import find_remaining
from app.files.services import ALL_FILES
from app.files.undo.bulk import undo_bulk_change
from app.files.undo.queries import find_undoable, find_undoable_bulk
from app.files.undo.services import undo_change
from app.history.services import Fields
from app.history.subjects import Subject
from app.text import Bytes
from app.web.listings import total_text


def labels(file_ids: Iterable[int]) -> Mapping[int, str]:
    """Folder and name of those that are not deleted permanently; a word for all files."""
    ids = list(file_ids)
    query = select(File.id, File.folder, File.name).where(File.id.in_(ids))
    found = {row.id: join_path(row.folder, row.name) for row in db.session.execute(query)}
    return {**found, ALL_FILES: str(_l("Files"))} if ALL_FILES in ids else found


def url(file_id: int) -> str:
    return url_for("files.show_file", file_id=file_id)


def url_when_gone(actor: Actor, file_id: int) -> str:
    """The page of the file of which this version was removed alone, or the folder of a removed
    file."""
    remaining = find_remaining(actor, file_id)
    if remaining is not None:
        return url(remaining)
    return folder_url(db.session.scalar(select(File.folder).where(File.id == file_id)) or "")


def may_read(actor: Actor, file_ids: Collection[int]) -> Collection[int]:
    """For members those that are not removed."""
    if not actor.has_role(Role.VIEWER):
        return ()
    query = select(File.id).where(File.id.in_(file_ids), File.removed_at.is_(None))
    return db.session.scalars(query).all()


def top_folder(fields: Mapping[str, Any]) -> tuple[str, str]:
    """The outermost folder of a file, with its address; empty without a folder."""
    folder = str(fields.get("folder") or "").partition("/")[0]
    return (folder, url_for("files.list_files", folder=folder)) if folder else ("", "")


def variant(action: str, before: Fields | None, after: Fields | None) -> str:
    """Whether a file was moved or renamed; `version` for a change of one version of a file that has
    others."""
    if action == "file.move":
        return how_moved(path_in(before), path_in(after))
    return "version" if "current" in (after or before or {}) else ""


def counted(count: int | None) -> str:
    number = COUNT_MOST if count is None else count
    return str(ngettext("%(count)s file", "%(count)s files", number, count=total_text(count)))


def path_in(fields: Fields | None) -> str:
    """The path of a file in recorded fields."""
    return join_path(*(str((fields or {}).get(name) or "") for name in ("folder", "name")))


FILE = Subject(
    kind="file",
    name=_l("File"),
    labels=labels,
    url=url,
    may_read=may_read,
    url_when_gone=url_when_gone,
    counts=("removed_files", "orphaned_files"),
    actions={
        "file.create": _l("File uploaded"),
        "file.delete": _l("File removed"),
        "file.delete.version": _l("Version of a file removed"),
        "file.restore": _l("File restored"),
        "file.move": _l("File moved"),
        "file.move.rename": _l("File renamed"),
        "file.move.both": _l("File renamed and moved"),
        "file.revert": _l("Earlier version of a file made current"),
        "file.result": _l("File made by a job"),
        "file.empty": _l("Removed files deleted permanently"),
        "file.purge": _l("Files deleted permanently"),
    },
    fields={
        "name": _l("File name"),
        "folder": _l("Folder"),
        "version": _l("Version"),
        "size": _l("Size"),
        "sha256": "SHA-256",
        "owner": _l("Owner"),
        "current": _l("Current version"),
        "removed_files": _l("Removed files"),
        "removed_until": _l("Removed until"),
        "orphaned_files": _l("Orphaned files"),
    },
    sentences={
        "file.create": _l("%(who)s uploaded %(what)s"),
        "file.delete": _l("%(who)s removed %(what)s"),
        "file.delete.version": _l("%(who)s removed version %(n)s of %(what)s"),
        "file.delete.version.undo": _l(
            "%(who)s removed version %(n)s of %(what)s; the one before is current again"
        ),
        "file.restore": _l("%(who)s restored %(what)s"),
        "file.restore.version": _l("%(who)s restored version %(n)s of %(what)s"),
        "file.move": _l("%(who)s moved %(what)s"),
        "file.move.undo": _l("%(who)s moved %(what)s back"),
        "file.move.rename": _l("%(who)s renamed %(what)s"),
        "file.move.rename.undo": _l("%(who)s gave %(what)s its former name back"),
        "file.move.both": _l("%(who)s renamed and moved %(what)s"),
        "file.move.both.undo": _l("%(who)s moved %(what)s back"),
        "file.revert": _l("%(who)s made an earlier version of %(what)s current"),
        "file.result": _l("%(who)s made %(what)s"),
        "file.empty": _l("%(who)s deleted the removed files permanently"),
    },
    many={
        "file.create": _l("%(who)s uploaded %(what)s and %(more)s more"),
        "file.create.place": _l("%(who)s uploaded %(what)s and %(more)s more to %(place)s"),
        "file.create.partly": _l(
            "%(who)s uploaded %(what)s and %(more)s more, some of them to %(place)s"
        ),
        "file.create.going.one": _l("%(who)s uploaded %(what)s so far"),
        "file.create.going": _l("%(who)s uploaded %(what)s and %(more)s more so far"),
        "file.create.going.place": _l(
            "%(who)s uploaded %(what)s and %(more)s more to %(place)s so far"
        ),
        "file.create.going.partly": _l(
            "%(who)s uploaded %(what)s and %(more)s more so far, some of them to %(place)s"
        ),
        "file.delete": _l("%(who)s removed %(what)s and %(more)s more"),
        "file.delete.version.undo": _l(
            "%(who)s made the former versions of %(what)s and %(more)s more current again"
        ),
        "file.delete.mixed.undo": _l(
            "%(who)s removed %(what)s and %(more)s more, or made their former versions current"
            " again"
        ),
        "file.restore": _l("%(who)s restored %(what)s and %(more)s more"),
        "file.move": _l("%(who)s moved %(what)s and %(more)s more"),
        "file.move.undo": _l("%(who)s moved %(what)s and %(more)s more back"),
    },
    variant=variant,
    joined=("file.create",),
    part_of="folder",
    counted=counted,
    place=top_folder,
    this=_l("this file"),
    brief=("size", "removed_files"),
    feed=(
        "file.create",
        "file.delete",
        "file.restore",
        "file.revert",
        "file.move",
        "file.empty",
    ),
    undo=undo_change,
    undoable=find_undoable,
    undo_bulk=undo_bulk_change,
    undoable_bulk=find_undoable_bulk,
    formats={
        "size": lambda size: str(Bytes(size)),
        "sha256": lambda digest: f"{digest[:12]}…",  # the whole digest is on the file's page
    },
)
