"""What somebody selected in a list: files and folders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from app.actor import Actor, Role
from app.database.engine import db
from app.database.service import permitted
from app.errors import Invalid, NotFound
from app.files.folders.checks import check_may_change_folders, no_such_folder
from app.files.folders.models import Folder
from app.files.folders.paths import ancestors
from app.files.models import File
from app.files.queries import no_such_file, same_name
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
    """Files, each the current version, and folders; none of them inside one of the folders."""

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
    """The ids in the query of an address, a MultiDict; NotFound if one cannot be an id, and Invalid
    if there are too many."""
    files, folders = (args.getlist(name) for name in ("file", "folder"))
    if len(files) + len(folders) > SELECTED_MOST:
        raise Invalid(N_("At most %(most)s can be selected at once.", most=SELECTED_MOST))
    return Selection(read_ids(files, no_such_file), read_ids(folders, no_such_folder))


def read_ids(texts: Sequence[str], missing: Callable[[], NotFound]) -> tuple[int, ...]:
    ids = [parse_integer(text, 1, 2**31 - 1) for text in texts]
    found = tuple(number for number in ids if number is not None)
    if len(found) != len(ids):
        raise missing()
    return found


@permitted(Role.VIEWER)
def load_selected(actor: Actor, selection: Selection) -> Selected:
    """What was selected, for a page."""
    return find_selected(selection)


def find_selected(selection: Selection) -> Selected:
    """What was selected, without what is in a selected folder, as results of a search may be:
    whatever happens to the folder happens to it. NotFound if a file or folder is not there any
    more. For services that have checked the actor."""
    if not selection.files and not selection.folders:
        raise Invalid(N_("Nothing was selected."))
    files = find_current(selection.files)
    query = select(Folder).where(Folder.id.in_(selection.folders))
    folders = db.session.scalars(query.order_by(Folder.name_key, Folder.id)).all()
    if len(folders) != len(set(selection.folders)):
        raise no_such_folder()
    chosen = {folder.path for folder in folders}
    return Selected(
        [file for file in files if chosen.isdisjoint(ancestors(file.folder))],
        [folder for folder in folders if chosen.isdisjoint(ancestors(folder.parent))],
    )


def find_current(ids: Sequence[int]) -> list[File]:
    """The current versions of the files of some ids, which may be those of earlier versions: a list
    in a browser may be older than the last upload."""
    chosen = aliased(File)
    current = (File.removed_at.is_(None), File.replaced_at.is_(None))
    query = select(File).add_columns(chosen.id).join(chosen, and_(*same_name(chosen), *current))
    query = query.where(chosen.id.in_(ids), chosen.removed_at.is_(None))
    rows = db.session.execute(query.order_by(File.name_key, File.id)).all()
    if len(rows) != len(set(ids)):
        raise no_such_file()
    return list(dict.fromkeys(file for file, _id in rows))


def check_may_change_all(actor: Actor, selected: Selected) -> None:
    """Forbidden unless the actor may move and remove everything that was selected."""
    for file in selected.files:
        check_may_change(actor, file)
    check_may_change_folders(actor, selected.folders)
