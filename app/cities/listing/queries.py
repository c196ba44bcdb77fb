"""Reading the list: pages by key, totals.

A page is found by key, see app/database/keyset.py. Rows without a value come last in both
directions: they are a second segment with a query of its own, which is also read by an index.

What filters find is read first, as ids up to COUNT_MOST: this is their number, and if there are not
more, each page of any order is read from these rows alone. If there are, it is read along the index
of its column, where it mostly has its rows soon; if not, what the filters find is sorted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, or_, select

from app.actor import Actor
from app.cities import cache
from app.cities.listing.provinces import in_province
from app.cities.listing.words import has_words
from app.cities.models import NAMES_INDEX, City
from app.cities.queries import COLUMNS, CityRow, check_reader, province_names
from app.database import keyset
from app.database.cursor import BY_ID, FIRST, Cursor, Sort, read_integer, read_moment, read_text
from app.database.dialects import without_index
from app.database.engine import db, release_connection
from app.database.failures import unless_too_long
from app.database.keyset import (
    COUNT_MOST,
    Listing,
    Page,
    Query,
    nearest,
    nulls_last,
    read_segments,
    seek_by_id,
)
from app.database.limits import budget
from app.redis.flight import search_turns

PROVINCES_MOST = 200
# For reading along an index. Sorting takes about 50 ms with 100,000 cities, whatever is found.
ALONG_SECONDS = 0.15
EVERY = 1_000_000_000  # rows; a subquery with a limit is a step of its own


@dataclass(frozen=True)
class CityListing(Listing):
    """Filters and order. Nothing set is the whole register, newest first."""

    SORTS: ClassVar = {
        "id": BY_ID,
        "city": Sort(read_text, column=City.city_key),
        "province": Sort(read_text, column=City.province_key),
        "users": Sort(read_integer, True, column=City.usernumber),
        "changed": Sort(read_moment, True, column=City.changed_at),
    }

    sort: str = "id"
    descending: bool = True
    search: str = ""
    province: str = ""
    flawed: bool = False
    no_province: bool = False

    @property
    def has_only_words(self) -> bool:
        """True if words are its one filter: MariaDB then reads their index."""
        return bool(self.search) and not replace(self, search="").is_filtered

    @property
    def has_one_province(self) -> bool:
        return bool(self.province) or self.no_province

    @property
    def parts(self) -> list[str]:
        """Those of the register that have its rows, all if none is named."""
        return [cache.part_of(self.province)] if self.has_one_province else []

    @property
    def is_by_id(self) -> bool:
        """True if its order is that of ids: those of one province have the same key."""
        return self.column is None or (self.sort == "province" and self.has_one_province)

    @property
    def is_along_index(self) -> bool:
        """True if, with more rows than can be sorted, it is read along the index of its column.
        Other indexes have the users of a province in order, and which rows are flawed."""
        is_by_users = self.sort == "users" and self.has_one_province
        return not (self.is_by_id or is_by_users or self.flawed)

    @property
    def is_in_index(self) -> bool:
        """True if an index has its rows and no others, in its order."""
        is_in_order = self.is_by_id or self.sort == "users"
        return self.has_one_province and is_in_order and not (self.search or self.flawed)


@dataclass(frozen=True)
class Hits:
    """The ids of the rows that filters find, in any order; None for more than COUNT_MOST."""

    ids: list[int] | None

    @property
    def total(self) -> int | None:
        return None if self.ids is None else len(self.ids)


def find_hits(actor: Actor, listing: CityListing) -> Hits:
    """What the filters of a listing find, whatever its order. If all requests read the register at
    once, each would take so long that the database ends it: so they take turns."""
    check_reader(actor)
    return read_hits(listing)


def read_hits(listing: CityListing) -> Hits:
    release_connection()  # nobody waits with it
    with search_turns.taken():
        query = with_words_index(select(City.id).where(*filters(listing)), listing)
        ids = db.session.scalars(query.limit(COUNT_MOST + 1)).all()
    return Hits(list(ids) if len(ids) <= COUNT_MOST else None)


def select_page(
    actor: Actor,
    listing: CityListing,
    cursor: Cursor = FIRST,
    total: int | None = None,
    hits: Hits | None = None,
) -> Page[CityRow]:
    """A page of a listing; with the `hits` of its filters few rows are read for it."""
    check_reader(actor)
    return keyset.select_page(
        partial(read_rows, listing, ids=hits.ids if hits else None),
        partial(keyset.cursor_at, listing),
        cursor,
        listing.size,
        total,
    )


def read_rows(
    listing: CityListing, cursor: Cursor, limit: int, ids: list[int] | None = None
) -> list[CityRow]:
    """Up to `limit` rows from a cursor on, in reading direction, over both segments. `ids` are all
    rows of the listing, if they are known."""
    if ids is None and listing.is_filtered and listing.is_along_index:
        return read_many(listing, cursor, limit)
    if ids is None:
        return read_segments(segments(listing, cursor, limit), limit)
    if listing.is_by_id:
        near = nearest(ids, listing, cursor, limit)
        rows = read_among(near, listing, cursor, limit)
        if len(rows) == len(near):
            return rows
        # Another program has removed some of them.
    return read_among(ids, listing, cursor, limit)


def read_many(listing: CityListing, cursor: Cursor, limit: int) -> list[CityRow]:
    """Along the index of the order. If the rows are at its end, that would read the whole table, so
    after a while they are found by their filters, and sorted."""

    def along() -> list[CityRow]:
        with budget.of(ALONG_SECONDS):
            return read_segments(segments(listing, cursor, limit), limit)

    def in_table() -> list[CityRow]:
        queries = in_order(all_hits(listing), listing, cursor, by_index=False)
        return read_segments(queries, limit)

    return unless_too_long(along, in_table)


def read_among(ids: list[int], listing: CityListing, cursor: Cursor, limit: int) -> list[CityRow]:
    return read_segments(segments_of(ids, listing, cursor), min(limit, len(ids)))


def segments_of(ids: list[int], listing: CityListing, cursor: Cursor) -> Iterator[Query]:
    """The queries of those rows with these ids that the listing has from the cursor on."""
    # MariaDB may prefer to read the whole table in the order of the listing.
    return in_order(with_index(rows_query(City.id.in_(ids)), "PRIMARY"), listing, cursor)


def segments(listing: CityListing, cursor: Cursor, limit: int) -> Iterator[Query]:
    """The queries whose rows, one after another, are the listing from the cursor on, as far as the
    first `limit` of them."""
    if listing.has_only_words and listing.is_by_id:
        yield by_words(listing, cursor, limit)
        return
    query = along_index(listing) if listing.is_along_index else rows_query(*filters(listing))
    yield from in_order(query, listing, cursor)


def rows_query(*conditions: ColumnElement[bool]) -> Query:
    return select(*COLUMNS).where(*conditions)


def along_index(listing: CityListing) -> Query:
    """The query of a listing that has many rows, in the order of an index: one row after the other
    is compared with the filters, until there are enough."""
    conditions = filters(listing)
    query = rows_query(*([without_index(and_(*conditions))] if conditions else []))
    # MariaDB may prefer to sort the whole table.
    return with_index(query, f"ix_city_{listing.column.key}")


def all_hits(listing: CityListing) -> Query:
    """The query of all rows that filters find: first their ids, from an index for filters."""
    query = with_words_index(select(City.id).where(*filters(listing)), listing)
    ids = query.limit(EVERY).subquery()
    rows = rows_query().select_from(ids).join(City, City.id == ids.c.id)
    return rows.prefix_with("STRAIGHT_JOIN", dialect="mysql")


def by_words(listing: CityListing, cursor: Cursor, limit: int) -> Query:
    """The query for rows with words in the order of their ids: these are found in the index of
    names, and only then their rows are read."""
    query = with_words_index(select(City.id).where(*filters(listing)), listing)
    ids = seek_by_id(query, City.id, listing, cursor).limit(limit).subquery()
    rows = rows_query().join(ids, ids.c.id == City.id)
    return seek_by_id(rows, City.id, listing, replace(cursor, id=None))


def in_order(
    query: Query, listing: CityListing, cursor: Cursor, by_index: bool = True
) -> Iterator[Query]:
    """The query from the cursor on, in one segment or two."""
    if listing.is_by_id:
        yield seek_by_id(query, City.id, listing, cursor)
        return
    # Keys of names without a visible character are empty, not null.
    empty = "" if listing.column.key in ("province_key", "city_key") else None
    yield from nulls_last(query, listing, cursor, empty, by_index)


def with_words_index(query: Query, listing: CityListing) -> Query:
    return with_index(query, NAMES_INDEX) if listing.has_only_words else query


def with_index(query: Query, name: str) -> Query:
    return query.with_hint(City, f"FORCE INDEX ({name})", dialect_name="mysql")


def filters(listing: CityListing) -> list[ColumnElement[bool]]:
    conditions = has_words(listing.search)
    if listing.province:
        conditions.append(in_province(listing.province))
    if listing.no_province:
        conditions.append(City.province_same == "")
    if listing.flawed:
        conditions.append(flawed_rows())
    return conditions


def flawed_rows() -> ColumnElement[bool]:
    """Rows that break today's rules; each part has an index. See rules.is_flawed."""
    return or_(
        City.province_key == "",
        City.city_key == "",
        City.usernumber.is_(None),
        City.usernumber < 0,
    )


def list_provinces() -> list[str]:
    """The names of provinces in the order of code points, at most one more than PROVINCES_MOST."""
    query = (
        select(City.province_same)
        .where(City.province_same > "")
        .distinct()
        .order_by(City.province_same)
        .limit(PROVINCES_MOST + 1)
    )
    return [name for _key, name in sorted(province_names(query))]


def has_flawed() -> bool:
    return db.session.scalar(select(City.id).where(flawed_rows()).limit(1)) is not None
