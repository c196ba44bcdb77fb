"""What goes into a zip file: one query for the files, one for the folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from app.actor import Actor, Role
from app.database.engine import db
from app.database.service import permitted
from app.errors import Invalid
from app.files.folders.models import Folder
from app.files.folders.paths import inside, parent_of
from app.files.folders.selection import Selected
from app.files.models import File
from app.text import N_

# Files and folders in one zip file. Their list is in memory while it is sent.
ZIP_MOST = 10_000


@dataclass(frozen=True)
class ZippedFile:
    """A file and its place, seen from the folder in which the selection was made."""

    folder: str
    name: str
    size: int
    stored_name: str
    created_at: datetime


@permitted(Role.VIEWER)
def list_contents(
    actor: Actor, base: str, selected: Selected
) -> tuple[list[ZippedFile], list[tuple[str, datetime]]]:
    """The current versions of the selected files and of those in the selected folders, and these
    folders with their times; paths are those below `base`."""
    start = len(base) + 1 if base else 0
    columns = (File.folder, File.name, File.size, File.stored_name, File.created_at)
    which = [inside(File.folder, folder.path) for folder in selected.folders]
    which.append(File.id.in_([file.id for file in selected.files]))
    query = select(*columns).where(or_(*which), File.removed_at.is_(None))
    query = query.where(File.replaced_at.is_(None)).order_by(File.folder, File.name, File.id)
    files = [
        ZippedFile(row.folder[start:], *row[1:])
        for row in db.session.execute(query.limit(ZIP_MOST + 1))
    ]
    folders = list_folders(selected.folders)
    if len(files) + len(folders) > ZIP_MOST:
        raise Invalid(
            N_("A zip file can have at most %(most)s files. Download less at once.", most=ZIP_MOST)
        )
    return files, [(path[start:], moment) for path, moment in folders]


def list_folders(folders: Sequence[Folder]) -> list[tuple[str, datetime]]:
    if not folders:
        return []
    which = or_(*(inside(Folder.path, folder.path) for folder in folders))
    query = select(Folder.path, Folder.created_at).where(which).order_by(Folder.path)
    return [(row.path, row.created_at) for row in db.session.execute(query.limit(ZIP_MOST + 1))]


def base_of(selected: Selected) -> str:
    """The folder in which the selection was made; of a search, whose results are in several, the
    root."""
    parents = {parent_of(path) for path in selected.paths}
    return parents.pop() if len(parents) == 1 else ""
