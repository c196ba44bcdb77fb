"""What the history shows about folders."""

from collections.abc import Collection

from flask import url_for
from flask_babel import lazy_gettext as _l

from app.actor import Actor, Role
from app.files.folders.models import Folder
from app.files.folders.paths import how_moved
from app.files.undo.bulk import undo_bulk_change
from app.files.undo.folders import find_undoable_folders, undo_folder_change
from app.files.undo.queries import find_undoable_bulk
from app.history.services import Fields
from app.history.subjects import Subject, labels_from


def may_read(actor: Actor, folder_ids: Collection[int]) -> Collection[int]:
    """For members all."""
    return folder_ids if actor.has_role(Role.VIEWER) else ()


def variant(action: str, before: Fields | None, after: Fields | None) -> str:
    """Whether a folder was moved or renamed."""
    if action != "folder.move":
        return ""
    return how_moved(*(str((fields or {}).get("path") or "") for fields in (before, after)))


FOLDER = Subject(
    kind="folder",
    name=_l("Folder"),
    labels=labels_from(Folder.path),
    url=lambda folder_id: url_for("folders.show_folder", folder_id=folder_id),
    may_read=may_read,
    actions={
        "folder.create": _l("Folder created"),
        "folder.move": _l("Folder moved"),
        "folder.move.rename": _l("Folder renamed"),
        "folder.move.both": _l("Folder renamed and moved"),
        "folder.delete": _l("Folder removed"),
        "folder.restore": _l("Folder restored"),
    },
    fields={"path": _l("Folder")},
    hidden=("created_at", "created_by"),
    sentences={
        "folder.create": _l("%(who)s created the folder %(what)s"),
        "folder.move": _l("%(who)s moved the folder %(what)s"),
        "folder.move.undo": _l("%(who)s moved the folder %(what)s back"),
        "folder.move.rename": _l("%(who)s renamed the folder %(what)s"),
        "folder.move.rename.undo": _l("%(who)s gave the folder %(what)s its former name back"),
        "folder.move.both": _l("%(who)s renamed and moved the folder %(what)s"),
        "folder.move.both.undo": _l("%(who)s moved the folder %(what)s back"),
        "folder.delete": _l("%(who)s removed the folder %(what)s"),
        "folder.restore": _l("%(who)s restored the folder %(what)s"),
    },
    many={
        "folder.move": _l("%(who)s moved the folder %(what)s and %(more)s more"),
        "folder.move.undo": _l("%(who)s moved the folder %(what)s and %(more)s more back"),
        "folder.delete": _l("%(who)s removed the folder %(what)s and %(more)s more"),
        "folder.restore": _l("%(who)s restored the folder %(what)s and %(more)s more"),
        "folder.move.one.parts": _l("%(who)s moved the folder %(what)s together with %(parts)s"),
        "folder.move.undo.one.parts": _l(
            "%(who)s moved the folder %(what)s back together with %(parts)s"
        ),
        "folder.move.parts": _l(
            "%(who)s moved the folder %(what)s and %(more)s more together with %(parts)s"
        ),
        "folder.move.undo.parts": _l(
            "%(who)s moved the folder %(what)s and %(more)s more back together with %(parts)s"
        ),
        "folder.delete.one.parts": _l(
            "%(who)s removed the folder %(what)s together with %(parts)s"
        ),
        "folder.delete.parts": _l(
            "%(who)s removed the folder %(what)s and %(more)s more together with %(parts)s"
        ),
        "folder.delete.version.undo.one.parts": _l(
            "%(who)s removed the folder %(what)s and made the former versions of %(parts)s current"
            " again"
        ),
        "folder.delete.version.undo.parts": _l(
            "%(who)s removed the folder %(what)s and %(more)s more and made the former versions of"
            " %(parts)s current again"
        ),
        "folder.delete.mixed.undo.one.parts": _l(
            "%(who)s removed the folder %(what)s and with it %(parts)s, or made their former"
            " versions current again"
        ),
        "folder.delete.mixed.undo.parts": _l(
            "%(who)s removed the folder %(what)s and %(more)s more and with them %(parts)s, or made"
            " their former versions current again"
        ),
        "folder.restore.one.parts": _l(
            "%(who)s restored the folder %(what)s together with %(parts)s"
        ),
        "folder.restore.parts": _l(
            "%(who)s restored the folder %(what)s and %(more)s more together with %(parts)s"
        ),
    },
    variant=variant,
    feed=("folder.create", "folder.move", "folder.delete", "folder.restore"),
    undo=undo_folder_change,
    undoable=find_undoable_folders,
    undo_bulk=undo_bulk_change,
    undoable_bulk=find_undoable_bulk,
)
