"""The page of the statistics."""

from typing import Any, Literal

from babel.numbers import format_compact_decimal
from flask import Blueprint, render_template, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from app.cities.statistics.queries import Statistics, read_statistics
from app.cities.views import reads_cities
from app.current import actor
from app.web.formatting import format_number

bp = Blueprint("cities_statistics", __name__)

COMPACT_FROM = 10_000


@bp.get("/cities/glance")
@reads_cities
def glance() -> str:
    """Totals, users by province, the largest cities."""
    figures = read_statistics(actor())
    return render_template(
        "cities/statistics/glance.html",
        figures=figures,
        bars=province_bars(figures),
        about=compact(figures.users),
    )


def compact(value: int) -> str:
    """A large number in words: 742.4 million, 7.4亿. Empty for one that is short in digits."""
    if abs(value) < COMPACT_FROM:
        return ""
    locale = get_locale()
    has_long = "long" in locale.compact_decimal_formats  # Chinese has only the short one
    style: Literal["long", "short"] = "long" if has_long else "short"
    return format_compact_decimal(value, format_type=style, locale=locale, fraction_digits=1)


def province_bars(figures: Statistics) -> list[dict[str, Any]]:
    """The rows of the chart; the last is that of cities without a province."""
    rows = [
        (name, url_for("cities.list_cities", province=name), users, cities)
        for name, users, cities in figures.provinces
    ]
    if figures.nowhere[1]:
        url = url_for("cities.list_cities", no_province=1)
        rows.append((_("No province"), url, *figures.nowhere))
    return [
        {
            "name": name,
            "url": url,
            "value": format_number(users),
            "cities": format_number(cities),
            "share": round(100 * max(0, users) / figures.longest, 2),
            "title": ngettext(
                "%(name)s: %(users)s users in %(count)s city",
                "%(name)s: %(users)s users in %(count)s cities",
                cities,
                name=name,
                users=format_number(users),
                count=format_number(cities),
            ),
        }
        for name, url, users, cities in rows
    ]
