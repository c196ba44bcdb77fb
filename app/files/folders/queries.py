"""Reading folders: one by its path, and how much is in them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import func, literal, select, union_all

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.failures import unless_too_long
from app.database.keyset import count_rows
from app.database.service import permitted
from app.errors import NotFound, Unavailable
from app.files import cache
from app.files.folders.checks import no_such_folder
from app.files.folders.models import Folder
from app.files.folders.paths import NO_FOLDER, inside, is_inside, path_of_address
from app.files.folders.selection import Selected
from app.files.listing import FileListing, folder_conditions
from app.files.models import File
from app.times import now

# Folders that a field suggests.
SUGGESTED = 200
SOON_COUNTED = 10_000  # files; of more, the last totals are stored


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
    has, folders included. `counted_at` is None if they have all changes; `is_known` is False if
    counting took too long each time."""

    files: int = 0
    size: int = 0
    rows: int = 0
    counted_at: datetime | None = None
    is_known: bool = True

    @property
    def known_rows(self) -> int | None:
        return self.rows if self.is_known else None


@permitted(Role.VIEWER)
def read_totals(actor: Actor, listing: FileListing) -> FileTotals:
    """The totals of a listing. Counting reads every row, so the result is cached until a file
    below its folder changes."""
    plain = replace(listing, sort=FileListing.sort, descending=FileListing.descending)
    key = json.dumps(["totals", asdict(plain)])
    try:
        return cache.get_or_compute(
            key,
            FileTotals,
            lambda: count_or_last(key, plain),
            is_search=bool(listing.search),
            parts=[listing.folder],
        )
    except Unavailable:  # another request is counting, and has been for long
        if listing.search:  # there would be no turn for its rows either
            raise
        return last_totals(key)


def count_or_last(key: str, listing: FileListing) -> FileTotals:
    """The totals of a listing; those that were counted last, if it takes too long."""
    count = partial(count_files, listing)
    totals = unless_too_long(count, lambda: last_totals(key), "files were not counted")
    if totals.files > SOON_COUNTED and not listing.search:
        cache.CACHE.store_last(key, replace(totals, counted_at=totals.counted_at or now()))
    return totals


def last_totals(key: str) -> FileTotals:
    return cache.CACHE.read_last(key, FileTotals) or FileTotals(is_known=False)


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
    """What is in each of these folders, by path, unless counting takes too long; cached like the
    totals. Ends the transaction in which a page was read; its rows stay as they are."""
    paths = [folder.path for folder in folders]
    if not paths:
        return {}
    db.session.expunge_all()
    release_connection()
    # Paths joined by a slash would be those of other folders too.
    key = hashlib.sha256(json.dumps(paths).encode()).hexdigest()
    try:
        return cache.get_or_compute(
            f"below {key}",
            dict[str, Below],
            lambda: unless_too_long(partial(count_each, paths), dict, "files were not counted"),
            parts=paths,
        )
    except Unavailable:
        return {}


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
