"""The pages of the register."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import ANONYMOUS, Role
from app.cities import services
from app.cities.details.merging import form_version
from app.cities.details.page import city_context, city_feed
from app.cities.fields import FIELDS, values_of
from app.cities.forms import CityForm
from app.cities.listing.list_page import CITIES, list_content, register_facts
from app.cities.listing.provinces import suggest_provinces
from app.cities.listing.row_format import city_name
from app.cities.queries import CityRow, find_last_change, may_read_cities
from app.cities.removed.queries import find_removed
from app.cities.rules import check_city, is_flawed
from app.current import actor, settings
from app.database.cursor import storable
from app.database.engine import release_connection
from app.database.idempotency import new_key
from app.errors import DomainError, NotFound
from app.history.entries import undo_url
from app.web.client import wants_page
from app.web.forms import submit
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import list_url, safe_next

bp = Blueprint("cities", __name__)

CITY = "/cities/<int:city_id>"

P = ParamSpec("P")
T = TypeVar("T")


def reads_cities(view: Callable[P, T]) -> Callable[P, T | Response]:
    """A view of cities: for members, and for everybody where visitors may read them."""
    for_members = role_required()(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
        return (view if may_read_cities(ANONYMOUS) else for_members)(*args, **kwargs)

    return guarded


@bp.get("/cities")
@reads_cities
def list_cities() -> str:
    listing = CITIES.read(request.args)
    content = list_content(actor(), listing, CITIES.read_cursor(listing, request.args))
    return render_template("cities/list_cities.html", content=content, may_write=actor().may_write)


@bp.get("/cities/provinces")
@reads_cities
def list_provinces() -> Response:
    """Names of provinces that contain the text q, for the script of the filter."""
    return jsonify(provinces=suggest_provinces(actor(), storable(request.args.get("q", ""))))


@bp.route("/cities/new", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def create_city() -> ResponseReturnValue:
    """A new city. If there is one of these names, the page says so and offers to add it anyway."""
    form = CityForm()
    create = partial(
        services.create_city, actor(), form.values(), key=form.key.data, anyway=form.is_confirmed
    )
    sent = submit(form, create, special=(services.AlreadyThere,))
    if isinstance(sent.refusal, services.AlreadyThere):
        return edit_page(form, sent.status, same=sent.refusal.city_id)
    if sent.done:
        added = _("%(name)s was added.", name=city_name(form.city.data))
        Notice(added, url_for("cities.edit_city", city_id=sent.result), _("Open")).show()
        return redirect(url_for("cities.list_cities"), 303)
    return edit_page(form, sent.status)


@bp.get(CITY)
@reads_cities
def edit_city(city_id: int) -> ResponseReturnValue:
    """The form of a city; its values alone for those who only read."""
    try:
        row = services.load_city(actor(), city_id)
    except NotFound:
        return removed_page(city_id)
    if not actor().may_write:
        context = city_context(actor(), row)
        return render_template("cities/show_city.html", row=row, fields=FIELDS, **context)
    values = {field.name: field.write(getattr(row, field.column)) for field in FIELDS}
    form = CityForm(**values, version=form_version(row), next=list_url("cities.list_cities"))
    return edit_page(form, 200, row)


def removed_page(city_id: int) -> tuple[str, int]:
    """The page of a city that was removed, for members; NotFound for others, for scripts, and
    without such a city. Not 410: it may be restored."""
    row = find_removed(actor(), city_id) if actor().is_signed_in and wants_page() else None
    if row is None:
        raise services.missing()
    page = render_template(
        "cities/removed/show_removed.html",
        row=row,
        fields=FIELDS,
        days=settings().removed_days,
        feed=city_feed(actor(), city_id),
    )
    return page, 404


@bp.post(CITY)
@role_required(Role.EDITOR)
def update_city(city_id: int) -> ResponseReturnValue:
    """Save what was typed, unless the city was changed or removed since the form was opened."""
    form = CityForm()
    update = partial(
        services.update_city,
        actor(),
        city_id,
        form.version.data,
        form.values(),
        anyway=form.is_confirmed,
    )
    sent = submit(form, update, special=(services.Outdated, services.AlreadyThere, NotFound))
    if not sent.done:
        return refused_page(form, city_id, sent.status, sent.refusal)
    saved_notice(city_id, city_name(form.city.data), sent.result).show()
    return redirect(safe_next(form.next.data, url_for("cities.list_cities")), 303)


def saved_notice(city_id: int, name: str, saved: services.SavedCity) -> Notice:
    """Says that a city was saved, with a link to it, and a button that undoes that."""
    text = _("%(name)s was saved.", name=name)
    if saved.merged:
        text = _(
            "%(name)s was saved. Changes that others made in the meantime are included.", name=name
        )
    undo = undo_url(saved.entry_id) if saved.entry_id else ""
    return Notice(text, url_for("cities.edit_city", city_id=city_id), _("Open"), undo)


def edit_page(
    form: CityForm, status: int, row: CityRow | None = None, **more: Any
) -> tuple[str, int]:
    """The form, for a new city or for `row`. `same` is the id of a city that has its names, `gone`
    that of one that was removed in the meantime, `conflict` for one that was changed."""
    form.key.data = form.key.data or new_key()
    if row is None:
        more["provinces"] = register_facts(actor()).provinces
    else:
        more |= city_context(actor(), row)
    page = render_template(
        "cities/edit_city.html",
        form=form,
        row=row,
        flawed=row is not None and is_flawed(row.provincename, row.cityname, row.usernumber),
        back=safe_next(form.next.data, url_for("cities.list_cities")),
        **more,
    )
    return page, status


def refused_page(
    form: CityForm, city_id: int, status: int, refusal: DomainError | None
) -> tuple[str, int]:
    """The form of a city that was not saved, with what was typed, beside the row as it is now. The
    row may have been removed, before the service looked for it or since."""
    try:
        row = services.load_city(actor(), city_id)
    except NotFound as error:
        return edit_page(form, error.status, gone=city_id)
    if isinstance(refusal, services.Outdated | NotFound):
        return conflict_page(form, row, status, refusal)
    same = refusal.city_id if isinstance(refusal, services.AlreadyThere) else None
    return edit_page(form, status, row, same=same)


def conflict_page(
    form: CityForm, row: CityRow, status: int, refusal: DomainError
) -> tuple[str, int]:
    """What is saved now beside what was typed. Sent again from here, the form knows the present
    state and is saved; what the person has not changed is what others saved."""
    form.version.data = form_version(row)
    saved, yours = values_of(row), check_city(form.values())
    merged = refusal.merged if isinstance(refusal, services.Outdated) else yours
    for field in FIELDS:
        if merged[field.name] != yours[field.name]:
            form[field.name].data = field.write(merged[field.name])
    conflict = [
        (field.label, field.show(saved[field.name]), field.show(merged[field.name]))
        for field in FIELDS
    ]
    last_change = find_last_change(actor(), row)
    release_connection()
    unversioned = isinstance(refusal, services.Unversioned)
    return edit_page(
        form, status, row, conflict=conflict, last_change=last_change, unversioned=unversioned
    )


@bp.route(f"{CITY}/delete", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def delete_city(city_id: int) -> ResponseReturnValue:
    """Asks, for those who come by an old address, or removes and offers to undo it."""
    back = list_url("cities.list_cities")
    if request.method == "GET":
        row = services.load_city(actor(), city_id)
        days = settings().removed_days
        return render_template(
            "cities/delete_city.html", row=row, fields=FIELDS, back=back, days=days
        )
    removed_id, name = services.delete_city(actor(), city_id)
    undo = url_for("cities_removed.restore_city", removed_id=removed_id)
    Notice(_("%(name)s was removed.", name=city_name(name)), undo=undo).show()
    return redirect(safe_next(request.form.get("next"), back), 303)
