"""The list of a folder: its folders, then its files; search, order, pages, totals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Row, literal, select, union_all
from sqlalchemy.orm import contains_eager, joinedload

from app.actor import Actor, Role
from app.auth.models import Person
from app.database import keyset
from app.database.cursor import (
    FIRST,
    LAST,
    Cursor,
    Sort,
    Value,
    read_integer,
    read_moment,
    read_text,
)
from app.database.dialects import has_text
from app.database.engine import db
from app.database.keyset import Listing, Page, Query, seek
from app.database.service import permitted
from app.files.folders.models import Folder
from app.files.folders.paths import inside
from app.files.models import File
from app.text import search_key

# How the value of a cursor begins that is at a folder: as no value of a file does.
FOLDER = "\x1f"


def or_folder(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """A parser of the values of cursors that are at files or at folders."""
    return lambda text: FOLDER + read_text(text[1:]) if text[:1] == FOLDER else read(text)


def is_folder(cursor: Cursor) -> bool:
    return isinstance(cursor.value, str) and cursor.value.startswith(FOLDER)


@dataclass(frozen=True)
class FileListing(Listing):
    """Folder, search and order. The default is the root, newest files first. A search and the other
    filters show what is below the folder, however deep; without them the list is what is in it."""

    SORTS: ClassVar = {
        "name": Sort(or_folder(read_text), column=File.name_key),
        "from": Sort(or_folder(read_text), column=Person.name_key),
        "size": Sort(or_folder(read_integer), True, column=File.size),
        # Not the id: an adopted file may be older than its row.
        "uploaded": Sort(or_folder(read_moment), True, column=File.created_at),
    }

    sort: str = "uploaded"
    descending: bool = True
    folder: str = ""
    search: str = ""
    # Only adopted files with something that an upload would be refused for.
    flawed: bool = False

    @property
    def is_deep(self) -> bool:
        """True if it shows what is below the folder, however deep."""
        return bool(self.search) or self.flawed

    @property
    def has_folders(self) -> bool:
        """True if it shows folders too."""
        return not self.flawed

    def conditions(self, deep: bool = False) -> list[ColumnElement[bool]]:
        """The rows that it shows: the current version of each file. With `deep` also those of
        folders below."""
        is_here = File.folder == self.folder
        chosen: list[ColumnElement[bool]] = [File.replaced_at.is_(None)]
        chosen.append(inside(File.folder, self.folder) if deep or self.is_deep else is_here)
        chosen.append(File.removed_at.is_(None))
        if self.flawed:
            chosen.append(File.flaw.is_not(None))
        if self.search:
            chosen.append(has_text(File.search_key, search_key(self.search)))
        return chosen


@permitted(Role.VIEWER)
def select_files(
    actor: Actor, listing: FileListing, cursor: Cursor, total: int | None
) -> Page[File | Folder]:
    """The page at a cursor: folders and files with their owners."""
    return keyset.select_page(
        partial(read_rows, listing), partial(cursor_at, listing), cursor, listing.size, total
    )


def read_rows(listing: FileListing, cursor: Cursor, limit: int) -> list[File | Folder]:
    """Up to `limit` rows from a cursor onwards, in reading direction: in both the folders are
    before the files on the page."""
    at_folder = is_folder(cursor)
    rows: list[File | Folder] = []
    if cursor.forward:
        if at_folder or cursor.id is None:
            rows += read_folders(listing, cursor, limit)
        start = FIRST if at_folder else cursor
        return [*rows, *read_files(listing, start, limit - len(rows))]
    if not at_folder:
        rows += read_files(listing, cursor, limit)
    start = cursor if at_folder else LAST
    return [*rows, *read_folders(listing, start, limit - len(rows))]


def read_folders(listing: FileListing, cursor: Cursor, limit: int) -> Sequence[Folder]:
    """The folders from a cursor onwards, by name: those in the folder of the listing, or those
    below it whose names contain the search."""
    if not listing.has_folders or limit < 1:
        return []
    query = select(Folder).options(joinedload(Folder.creator)).where(*folder_conditions(listing))
    after = None if cursor.id is None else [str(cursor.value)[1:], cursor.id]
    descending = listing.sort == "name" and listing.descending
    columns = [Folder.name_key, Folder.id]
    query = seek(query, columns, after, descending == cursor.forward)
    return db.session.scalars(query.limit(limit)).all()


def folder_conditions(listing: FileListing) -> list[ColumnElement[bool]]:
    if not listing.search:
        return [Folder.parent == listing.folder]
    words = search_key(listing.search)
    found = has_text(Folder.name_key, words)
    return [inside(Folder.parent, listing.folder), found]


def read_files(listing: FileListing, cursor: Cursor, limit: int) -> Sequence[File]:
    """The files from a cursor onwards."""
    if limit < 1:
        return []
    if listing.sort == "from":
        return read_by_owner(listing, cursor, limit)
    return db.session.scalars(rows_query(listing, cursor).limit(limit)).all()


def rows_query(listing: FileListing, cursor: Cursor) -> Query:
    """The query for the rows from a cursor onwards, for every order but that by owner."""
    column = listing.column
    query: Query = select(File).join(File.owner).options(contains_eager(File.owner))
    query = query.where(*listing.conditions())
    query = query.with_hint(Person, "FORCE INDEX (PRIMARY)", dialect_name="mysql")
    after = None if cursor.id is None else [cursor.value, cursor.id]
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    return seek(with_index(query, listing, column), [column, File.id], after, descending)


def with_index(query: Query, listing: FileListing, column: Any) -> Query:
    """The query with the index that has its order, because MariaDB considers sorting all rows to be
    cheaper. What is below a folder may be little or much, so there the database decides."""
    if not listing.is_deep:
        index = f"ix_file_in_folder_{column.key}"
    elif not listing.folder:
        index = f"ix_file_listed_{column.key}"
    else:
        return query
    return query.with_hint(File, f"FORCE INDEX ({index})", dialect_name="mysql")


def read_by_owner(listing: FileListing, cursor: Cursor, limit: int) -> Sequence[File]:
    """The rows in the order of their owners' names. No index of files has these names: the owners
    are read first, then the ids of their files with a query for each owner in one statement."""
    queries = owner_queries(listing, cursor, limit)
    if not queries:
        return []
    ids = union_all(*(select(query.limit(limit).subquery()) for query in queries))
    place, file_id = ids.selected_columns.place, ids.selected_columns.id
    descending = listing.descending == cursor.forward
    ids = ids.order_by(place, file_id.desc() if descending else file_id).limit(limit)
    wanted = [file_id for _place, file_id in db.session.execute(ids)]
    query = select(File).options(joinedload(File.owner)).where(File.id.in_(wanted))
    found = {file.id: file for file in db.session.scalars(query)}
    return [found[file_id] for file_id in wanted if file_id in found]


def owner_queries(listing: FileListing, cursor: Cursor, limit: int) -> list[Query]:
    """For each owner from the cursor onwards: the owner's place and the ids of their files."""
    descending = listing.descending == cursor.forward
    queries: list[Query] = []
    for place, (owner_id, name_key) in enumerate(read_owners(listing, cursor, limit, descending)):
        query: Query = select(literal(place).label("place"), File.id)
        query = query.where(*listing.conditions(), File.owner_id == owner_id)
        after = [cursor.id] if name_key == cursor.value else None
        query = with_index(query, listing, File.owner_id)
        queries.append(seek(query, [File.id], after, descending))
    return queries


def read_owners(
    listing: FileListing, cursor: Cursor, limit: int, descending: bool
) -> Sequence[Row[int, str]]:
    """Owners with files in this listing, from the cursor onwards; one more than `limit` because the
    cursor's owner may have none left."""
    own = select(File.id).where(File.owner_id == Person.id, *listing.conditions())
    key = Person.name_key
    query = select(Person.id, key).where(own.exists())
    if cursor.id is not None:
        query = query.where(key <= cursor.value if descending else key >= cursor.value)
    query = query.order_by(key.desc() if descending else key)
    return db.session.execute(query.limit(limit + 1)).all()


def cursor_at(listing: FileListing, row: File | Folder, forward: bool, place: int | None) -> Cursor:
    """The cursor that continues after a row, whose own place is `place`."""
    if isinstance(row, Folder):
        return Cursor(forward, row.id, FOLDER + row.name_key, place)
    owner_or_file = row.owner if listing.sort == "from" else row
    return Cursor(forward, row.id, getattr(owner_or_file, listing.column.key), place)
