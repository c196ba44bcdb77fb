"""Reading folders: one by its path, and how much is in them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import func, literal, select, union_all

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.keyset import count_rows
from app.database.service import permitted
from app.errors import NotFound
from app.files import cache
from app.files.folders.checks import no_such_folder
from app.files.folders.models import Folder
from app.files.folders.paths import NO_FOLDER, inside, is_inside, path_of_address
from app.files.folders.selection import Selected
from app.files.listing import FileListing, folder_conditions
from app.files.models import File

# Folders that a field suggests.
SUGGESTED = 200


@permitted(Role.VIEWER)
def find_folder(actor: Actor, path: str) -> Folder:
    """The folder of a path in an address, also one with files but no row yet; NotFound if there is
    none."""
    path = path_of_address(path)
    folder: Folder | None = db.session.scalar(select(Folder).where(Folder.path == path))
    # For MariaDB a path with spaces at its end is the same.
    if folder is not None and folder.path == path:
        return folder
    within = select(File.folder).where(inside(File.folder, path), File.removed_at.is_(None))
    place = db.session.scalar(within.limit(1))
    if not path or place is None or not is_inside(place, path):
        raise NotFound(NO_FOLDER)
    return Folder(path=path)


@permitted(Role.VIEWER)
def load_folder(actor: Actor, folder_id: int) -> Folder:
    """A folder by id."""
    folder = db.session.get(Folder, folder_id, populate_existing=True)
    if folder is None:
        raise no_such_folder()
    return folder


@dataclass(frozen=True)
class FileTotals:
    """How many files a listing has in all folders, and their total size; how many rows the list
    has, folders included."""

    files: int
    size: int
    rows: int


@permitted(Role.VIEWER)
def read_totals(actor: Actor, listing: FileListing) -> FileTotals:
    """The totals of a listing. Counting reads every row, so the result is cached until a file
    below its folder changes."""
    plain = replace(listing, sort=FileListing.sort, descending=FileListing.descending)
    key = json.dumps(["totals", asdict(plain)])
    return cache.get_or_compute(
        key,
        FileTotals,
        lambda: count_files(plain),
        is_search=bool(listing.search),
        parts=[listing.folder],
    )


def count_files(listing: FileListing) -> FileTotals:
    """Count and sum without the cache."""
    totals = select(func.count(), func.coalesce(func.sum(File.size), 0))
    count, size = db.session.execute(totals.where(*listing.conditions(deep=True))).one()
    rows = count if listing.is_deep else count_rows(File, listing.conditions())
    if listing.has_folders:
        rows += count_rows(Folder, folder_conditions(listing))
    return FileTotals(count, int(size), rows)


@dataclass(frozen=True)
class Below:
    """What is in a folder, however deep: how many files, and when the newest was uploaded."""

    files: int
    uploaded_at: datetime | None


@permitted(Role.VIEWER)
def count_below(actor: Actor, folders: Sequence[Folder]) -> dict[str, Below]:
    """What is in each of these folders, by path; cached like the totals.
    Ends the transaction in which a page was read; its rows stay as they are."""
    paths = [folder.path for folder in folders]
    if not paths:
        return {}
    db.session.expunge_all()
    release_connection()
    # Paths joined by a slash would be those of other folders too.
    key = hashlib.sha256(json.dumps(paths).encode()).hexdigest()
    return cache.get_or_compute(
        f"below {key}", dict[str, Below], lambda: count_each(paths), parts=paths
    )


def count_each(paths: Sequence[str]) -> dict[str, Below]:
    """Count without the cache, with a query for each folder in one statement."""
    counts = [
        select(literal(path).label("path"), func.count(), func.max(File.created_at)).where(
            *FileListing(folder=path).conditions(deep=True)
        )
        for path in paths
    ]
    rows = db.session.execute(union_all(*counts))
    return {path: Below(count, uploaded_at) for path, count, uploaded_at in rows}


@permitted(Role.VIEWER)
def suggest_folders(actor: Actor) -> Sequence[str]:
    """Some paths, in order, as suggestions for a field."""
    return db.session.scalars(select(Folder.path).order_by(Folder.path).limit(SUGGESTED)).all()


@permitted(Role.VIEWER)
def count_selected(actor: Actor, selected: Selected) -> int:
    """How many files are selected, and are in the selected folders."""
    below = (FileListing(folder=each.path).conditions(deep=True) for each in selected.folders)
    return len(selected.files) + sum(count_rows(File, each) for each in below)
