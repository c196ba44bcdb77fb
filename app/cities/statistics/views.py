"""The page of the statistics."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.actor import Role
from app.auth.queries import count_people
from app.cities.statistics.queries import Statistics, read_statistics
from app.cities.views import reads_cities
from app.current import actor
from app.files.folders.queries import read_totals
from app.files.listing import FileListing
from app.web.formatting import format_number

bp = Blueprint("cities_statistics", __name__)


@bp.get("/cities/glance")
@reads_cities
def glance() -> str:
    """Totals, users by province, the largest cities. What is cached comes first: it may end the
    transaction."""
    figures = read_statistics(actor())
    return render_template(
        "cities/statistics/glance.html",
        figures=figures,
        bars=province_bars(figures),
        totals=other_totals(),
    )


def other_totals() -> dict[str, Any]:
    """The totals of files, for members, and how many people there are, for administrators."""
    totals: dict[str, Any] = {}
    if actor().has_role(Role.VIEWER):
        totals["files"] = read_totals(actor(), FileListing())
    if actor().is_admin and not actor().by_token:
        totals["people"] = count_people(actor())
    return totals


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
            "share": min(100.0, round(100 * max(0, users) / figures.scale, 2)),
            "cut": users > figures.scale,
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
