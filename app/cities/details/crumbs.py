"""The way to a city, for templates."""

from flask import url_for
from flask_babel import gettext as _

from app.cities.queries import CityRow
from app.cities.rules import shown_name


def city_crumbs(row: CityRow | None) -> list[tuple[str, str]]:
    """Names and addresses of the list and of the list of its province; of the list alone for a city
    that is being added, or without a province."""
    crumbs = [(_("Cities"), url_for("cities.list_cities"))]
    if row is None or not shown_name(row.provincename):
        return crumbs
    province = url_for("cities.list_cities", province=row.provincename)
    return [*crumbs, (shown_name(row.provincename), province)]
