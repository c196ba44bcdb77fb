"""The pages of removed cities."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.actor import Role
from app.cities import services
from app.cities.fields import FIELDS
from app.cities.listing.row_format import city_name
from app.cities.removed import queries
from app.cities.removed.queries import RemovedListing
from app.cities.removed.services import empty_removed
from app.current import actor, settings
from app.database.keyset import SEARCH_LENGTH
from app.removed.forms import EmptyForm
from app.times import now
from app.web.formatting import format_number
from app.web.forms import submit
from app.web.listings import Filter, ListAddress, read_words
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import page_before

bp = Blueprint("cities_removed", __name__)

REMOVED = ListAddress(
    "cities_removed.list_removed",
    RemovedListing,
    {"search": Filter("q", read_words(SEARCH_LENGTH))},
)


@bp.get("/cities/removed")
@role_required(Role.EDITOR)
def list_removed() -> str:
    """The cities that can be restored, with who removed them and when."""
    listing = REMOVED.read(request.args)
    cursor = REMOVED.read_cursor(listing, request.args)
    page, total = queries.select_removed(actor(), listing, cursor)
    return render_template(
        "cities/removed/list_removed.html",
        listing=listing,
        list=REMOVED.show(listing, page, total),
        fields=FIELDS,
        days=settings().removed_days,
        search_length=SEARCH_LENGTH,
    )


@bp.route("/cities/removed/empty", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def empty_list() -> ResponseReturnValue:
    """Ask, or delete all removed cities permanently."""
    form = EmptyForm()
    sent = submit(form, lambda: empty_removed(actor(), form.moment))
    if sent.done:
        count = sent.result
        text = ngettext(
            "%(count)s removed city was deleted permanently.",
            "%(count)s removed cities were deleted permanently.",
            count,
            count=format_number(count),
        )
        Notice(text).show()
        return redirect(url_for("cities_removed.list_removed"), 303)
    form.until.data = now().isoformat()
    count = queries.count_removed(actor())
    return render_template("cities/removed/empty_list.html", form=form, count=count), sent.status


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
