"""The list as HTML, drawn once for all who read the same page in the same language.

What is drawn here is kept in Redis and shown to everybody. So the template gets no request and no
person, only whether its reader may write: nothing personal and no token can slip in.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from flask import current_app, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from app.cities import cache, queries
from app.cities.listing import Listing, read_cursor
from app.cities.row_format import RowFormatter
from app.database.keyset import FIRST, LAST, Cursor, Page, write_cursor
from app.web import static_files
from app.web.formatting import format_number

COLUMNS = ("city", "province", "users", "changed")


@dataclass(frozen=True)
class Facts:
    """What the head of every list says about the register."""

    total: int
    provinces: list[str]
    flawed: bool


def list_content(listing: Listing, cursor_text: str | None, may_write: bool) -> Markup:
    """The content of the list's page; on a hit without any query."""
    cursor = read_cursor(cursor_text, listing.sort)
    address = [
        asdict(listing),
        write_cursor(cursor),
        str(get_locale()),
        may_write,
        static_files.content_hash(),
    ]
    digest = hashlib.sha256(json.dumps(address).encode()).hexdigest()[:32]
    # Our own template made it, and escaped what it shows.
    return Markup(  # noqa: S704
        cache.kept(f"list:{digest}", lambda: draw_list(listing, cursor, may_write))
    )


def register_facts() -> Facts:
    """Total and names of provinces, kept as the list is."""
    return cache.cached_value("facts", Facts, count_facts)


def count_facts() -> Facts:
    """The same, asked anew."""
    return Facts(queries.count_cities(Listing()), queries.list_provinces(), queries.has_flawed())


def draw_list(listing: Listing, cursor: Cursor, may_write: bool) -> str:
    """The list's page from the database."""
    facts = register_facts()
    total: int | None = queries.count_cities(listing) if listing.is_filtered else facts.total
    counted = format_number(total)
    if listing.is_filtered and total and total > queries.COUNT_MOST:
        counted, total = _("more than %(count)s", count=format_number(queries.COUNT_MOST)), None
    if cursor == LAST:
        cursor = queries.last_page(total)
    page = queries.select_page(listing, cursor)
    template = current_app.jinja_env.get_template("cities/_list.html")
    return template.render(
        listing=listing,
        facts=facts,
        counted=counted,
        rows=[*map(RowFormatter().write, page.rows)],
        steps=page_steps(listing, page),
        place=place_text(page, counted),
        may_write=may_write,
        heads=column_heads(listing),
        many_provinces=len(facts.provinces) > queries.PROVINCES_MOST,
    )


def column_heads(listing: Listing) -> dict[str, tuple[str, str | None]]:
    """For each column the address that sorts by it, and how it is sorted now."""
    return {
        sort: (
            url_for("cities.list_cities", **listing.sorted_by(sort)),
            listing.order_of(sort),
        )
        for sort in COLUMNS
    }


def page_steps(listing: Listing, page: Page[queries.CityRow]) -> dict[str, str | None]:
    """The addresses of the pager."""

    def address(cursor: Cursor | None) -> str | None:
        if cursor is None:
            return None
        args = listing.args()
        if cursor != FIRST:
            args["page"] = write_cursor(cursor)
        return url_for("cities.list_cities", **args)

    return {
        "first": address(FIRST if page.previous else None),
        "previous": address(page.previous),
        "next": address(page.next),
        "last": address(LAST if page.next else None),
    }


def place_text(page: Page[queries.CityRow], counted: str) -> str:
    """Which rows the page shows."""
    if page.start is None:
        return str(_("%(count)s in all", count=counted))
    first, last = format_number(page.start), format_number(page.start + len(page.rows) - 1)
    return str(_("%(first)s to %(last)s of %(total)s", first=first, last=last, total=counted))
