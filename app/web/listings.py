"""Lists on pages: filters, sort order and cursor in query arguments, column headers, pager.

A package declares each list as a `ListAddress`: `read()` parses the arguments of a request into a
listing, `show()` prepares the rows that were found for the template.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, TypeVar

from flask import url_for
from flask_babel import gettext as _

from app.database.cursor import FIRST, LAST, Cursor, read_cursor, storable, write_cursor
from app.database.keyset import COUNT_MOST, PAGE_SIZE, PAGE_SIZES, Listing, Page
from app.text import search_key
from app.web.client import page_size
from app.web.formatting import format_number

L = TypeVar("L", bound=Listing)
R = TypeVar("R")

ORDERS = {"asc": False, "desc": True}


@dataclass(frozen=True)
class Filter:
    """A filter of a list: its query argument, and a parser that returns the default for an invalid
    value."""

    argument: str
    read: Callable[[str], Any]


def read_flag(text: str) -> bool:
    return text == "1"


def read_words(most: int) -> Callable[[str], str]:
    """Parse search words of at most `most` characters."""
    return lambda text: clean_words(clean_words(text)[:most])


def clean_words(text: str) -> str:
    """The words of a search, with one space between them; none if there are only invisible
    characters, which would be found everywhere."""
    words = " ".join(storable(text).split())
    return words if search_key(words) else ""


def bounded_text(most: int) -> Callable[[str], str]:
    """Parse text of at most `most` characters, spaces included."""
    return lambda text: storable(text)[:most]


@dataclass(frozen=True)
class ListAddress(Generic[L]):
    """The URL of a list. `filters` maps fields of the listing to query arguments; all lists have
    the arguments `sort`, `order` and `page`."""

    endpoint: str
    kind: type[L]
    filters: Mapping[str, Filter]

    def read(self, args: Mapping[str, str]) -> L:
        """Parse query arguments; unknown values become the default."""
        plain = self.kind()
        sort = args.get("sort", "")
        sort = sort if sort in self.kind.SORTS else plain.sort
        fields = {
            name: each.read(args[each.argument])
            for name, each in self.filters.items()
            if each.argument in args
        }
        descending = ORDERS.get(args.get("order", ""), self.kind.SORTS[sort].descending_first)
        return self.kind(**fields, sort=sort, descending=descending, size=page_size())

    def args(self, listing: L, **changed: Any) -> dict[str, str]:
        """The query arguments of a listing, without defaults."""
        wanted, plain = replace(listing, **changed), self.kind()
        args = {
            each.argument: as_text(getattr(wanted, name))
            for name, each in self.filters.items()
            if getattr(wanted, name) != getattr(plain, name)
        }
        if wanted.sort != plain.sort:
            args["sort"] = wanted.sort
        if wanted.descending != self.kind.SORTS[wanted.sort].descending_first:
            args["order"] = "desc" if wanted.descending else "asc"
        return args

    def read_cursor(self, listing: L, args: Mapping[str, str]) -> Cursor:
        """Parse the cursor. An invalid one, or one of another sort order, is the first page."""
        return read_cursor(args.get("page"), listing.SORTS[listing.sort])

    def show(
        self, listing: L, page: Page[R], total: int | None, rows: list[Any] | None = None
    ) -> "ListView[L]":
        """Prepare a page of rows for the template. `total` is None if it exceeds COUNT_MOST;
        `rows` replaces the rows of the page."""
        return ListView(self, listing, page, total, page.rows if rows is None else rows)


@dataclass(frozen=True)
class ListView(Generic[L]):
    """A page of a list for its template."""

    address: ListAddress[L]
    listing: L
    page: Page[Any]
    total: int | None
    rows: Any

    def args(self, **changed: Any) -> dict[str, str]:
        """The query arguments of this list, with changed fields."""
        return self.address.args(self.listing, **changed)

    def url(self, **changed: Any) -> str:
        """The URL of the first page of this list, with changed fields."""
        return url_for(self.address.endpoint, **self.args(**changed))  # type: ignore[arg-type]

    def head(self, sort: str) -> tuple[str, str | None]:
        """For a column header: the URL that sorts by the column, in reverse if it is sorted
        already, and the current order for `aria-sort`."""
        listing = self.listing
        if sort != listing.sort:
            first = listing.SORTS[sort].descending_first
            return self.url(sort=sort, descending=first), None
        order = "descending" if listing.descending else "ascending"
        return self.url(descending=not listing.descending), order

    @property
    def plain_url(self) -> str:
        """The URL without filters."""
        plain = self.address.kind()
        return self.url(**{name: getattr(plain, name) for name in self.address.filters})

    @property
    def counted(self) -> str:
        return total_text(self.total)

    @property
    def place(self) -> str:
        """The range of rows on this page: 1–50 of 418. Beyond COUNT_MOST, and beyond a total that
        is older, the page itself says how many rows there are at least."""
        start = self.page.start
        if start is None:
            return str(_("%(count)s in all", count=self.counted))
        end = start + len(self.page.rows) - 1
        first, last = format_number(start), format_number(end)
        total = total_text(self.total, end)
        if self.total is None and self.page.next is None:
            total = last
        elif self.total is not None and end >= self.total:  # which may be older than the page
            total = str(_("more than %(count)s", count=last)) if self.page.next else last
        return str(_("%(first)s–%(last)s of %(total)s", first=first, last=last, total=total))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows a page may have."""
        return PAGE_SIZES

    @property
    def has_pager(self) -> bool:
        """False if all rows fit on a page of the smallest size."""
        page = self.page
        return bool(page.previous or page.next or len(page.rows) > PAGE_SIZE)

    @property
    def steps(self) -> dict[str, str | None]:
        """The URLs of the pager; None for a step that is disabled."""
        previous, following = self.page.previous, self.page.next
        return {
            "first": self.step(FIRST if previous else None),
            "previous": self.step(previous),
            "next": self.step(following),
            "last": self.step(LAST if following else None),
        }

    def step(self, cursor: Cursor | None) -> str | None:
        """The URL of the page at a cursor."""
        if cursor is None:
            return None
        page = None if cursor == FIRST else write_cursor(cursor)
        return url_for(self.address.endpoint, **self.args(), page=page)  # type: ignore[arg-type]


def as_text(value: Any) -> str:
    """The value of a filter as a query argument."""
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, bool) else str(value)


def total_text(total: int | None, seen: int = 0) -> str:
    """A total as text; None is more than COUNT_MOST, and more than were seen."""
    if total is None:
        return str(_("more than %(count)s", count=format_number(max(seen, COUNT_MOST))))
    return format_number(total)
