"""The pages of removed cities."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.actor import Role
from app.cities import services
from app.cities.fields import FIELDS
from app.cities.listing.row_format import city_name
from app.cities.removed import queries
from app.cities.removed.services import empty_removed
from app.current import actor
from app.removed.pages import empty_page, list_address, list_page
from app.web.formatting import format_number
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import page_before

bp = Blueprint("cities_removed", __name__)

REMOVED = list_address("cities_removed.list_removed", queries.RemovedCityListing)


@bp.get("/cities/removed")
@role_required(Role.EDITOR)
def list_removed() -> str:
    """The cities that can be restored, with who removed them and when."""
    template = "cities/removed/list_removed.html"
    return list_page(REMOVED, queries.select_removed, template, fields=FIELDS)


@bp.route("/cities/removed/empty", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def empty_list() -> ResponseReturnValue:
    """Ask, or delete all removed cities permanently."""
    template = "cities/removed/empty_list.html"
    return empty_page(REMOVED, queries.count_removed, empty_removed, deleted_text, template)


def deleted_text(count: int) -> str:
    return str(
        ngettext(
            "%(count)s removed city was deleted permanently.",
            "%(count)s removed cities were deleted permanently.",
            count,
            count=format_number(count),
        )
    )


@bp.post("/cities/removed/<int:removed_id>/restore")
@role_required(Role.EDITOR)
def restore_city(removed_id: int) -> Response:
    """Restore a city, and go back to the page on which that was chosen."""
    city = services.restore_city(actor(), removed_id)
    name = city_name(city.name)
    link = url_for("cities.edit_city", city_id=city.id)
    notice = Notice(_("%(name)s was restored.", name=name), link, _("Open"))
    if city.same_id is not None:
        text = _(
            "%(name)s was restored. Another city in this province has the same name.", name=name
        )
        link = url_for("cities.edit_city", city_id=city.same_id)
        notice = Notice(text, link, _("Show the other city"))
    notice.show()
    return redirect(page_before(url_for("cities.list_cities")), 303)
