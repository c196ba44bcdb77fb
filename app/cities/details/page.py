"""What the page of a city shows besides its values."""

from typing import Any

from flask_babel import gettext as _

from app.actor import Actor, Role
from app.cities.details.queries import find_place, read_province
from app.cities.listing.list_page import register_facts
from app.cities.queries import CityRow
from app.database.engine import release_connection
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.web.formatting import format_number

ENTRIES_SHOWN = 10


def city_context(actor: Actor, row: CityRow) -> dict[str, Any]:
    """The variables of the templates: the province, the place by users, the history."""
    facts, province = register_facts(actor), read_province(actor, row)
    place = find_place(actor, row)
    feed = city_feed(actor, row.id)
    release_connection()
    return {
        "provinces": facts.provinces,
        "province": province,
        "province_counted_at": province.counted_at if province else None,
        "total_counted_at": facts.total.counted_at,
        "share": share_of(row.usernumber, province.users if province else 0),
        "place": place_text(place, facts.known_total),
        "feed": feed,
    }


def city_feed(actor: Actor, city_id: int) -> list[Any]:
    """The history of a city, also of a removed one, as its page shows it."""
    return describe_feed(actor, read_history(actor, city_id), about=True)


def read_history(actor: Actor, city_id: int) -> list[Any]:
    """The newest entries about a city, for members."""
    if not actor.has_role(Role.VIEWER):
        return []
    return entries_about(actor, "city", city_id, ENTRIES_SHOWN)


def share_of(users: int | None, all_users: int) -> float | None:
    """A city's part of the users of its province in per cent; None if there is none to show, as of
    a number that is newer than the total and exceeds it."""
    if users is None or users < 0 or all_users <= 0 or users > all_users:
        return None
    return round(100 * users / all_users, 2)


def place_text(place: int | None, total: int | None) -> str:
    if place is None or total is None:
        return ""
    return str(
        _(
            "Rank %(place)s of %(total)s by users",
            place=format_number(place),
            total=format_number(max(place, total)),
        )
    )
