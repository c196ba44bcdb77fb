"""What somebody selected in a list: files and folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db
from app.database.service import permitted
from app.errors import Forbidden, Invalid
from app.files.folders.checks import check_may_change_folders
from app.files.folders.models import Folder
from app.files.models import File
from app.files.queries import no_such_file
from app.files.rules import check_may_change
from app.text import N_, parse_integer

# Files and folders of one selection: a page has at most so many rows.
SELECTED_MOST = 200


@dataclass(frozen=True)
class Selection:
    """The ids of files and folders."""

    files: tuple[int, ...]
    folders: tuple[int, ...]


@dataclass(frozen=True)
class Selected:
    """Files, each the current version, and folders."""

    files: Sequence[File]
    folders: Sequence[Folder]

    @property
    def all(self) -> list[File | Folder]:
        return [*self.folders, *self.files]

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.all]

    @property
    def single(self) -> File | Folder | None:
        """The only one, if it is one."""
        return self.all[0] if len(self.all) == 1 else None


def read_selection(args: Any) -> Selection:
    """The ids in the query of an address, a MultiDict; what is no id is left out."""
    files, folders = (
        tuple(
            number
            for text in args.getlist(name)[:SELECTED_MOST]
            if (number := parse_integer(text, 1, 2**31 - 1))
        )
        for name in ("file", "folder")
    )
    return Selection(files, folders)


@permitted(Role.VIEWER)
def load_selected(actor: Actor, selection: Selection) -> Selected:
    """What was selected, for a page."""
    return find_selected(selection)


def find_selected(selection: Selection) -> Selected:
    """What was selected; NotFound if a file or folder is not there any more. For services that have
    checked the actor."""
    if not selection.files and not selection.folders:
        raise Invalid(N_("Nothing was selected."))
    files = select(File).where(File.id.in_(selection.files), File.removed_at.is_(None))
    folders = select(Folder).where(Folder.id.in_(selection.folders))
    found = Selected(
        db.session.scalars(files.order_by(File.name_key, File.id)).all(),
        db.session.scalars(folders.order_by(Folder.name_key, Folder.id)).all(),
    )
    is_whole = len(found.files) == len(set(selection.files))
    if not is_whole or len(found.folders) != len(set(selection.folders)):
        raise no_such_file()
    return found


def check_may_change_all(actor: Actor, selected: Selected) -> None:
    """Forbidden unless the actor may move and remove everything that was selected."""
    for file in selected.files:
        check_may_change(actor, file)
    check_may_change_folders(actor, selected.folders)


def may_change_all(actor: Actor, selected: Selected) -> bool:
    try:
        check_may_change_all(actor, selected)
    except Forbidden:
        return False
    return True
