"""The pages of the register."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import Role
from app.cities import services
from app.cities.forms import CityForm
from app.cities.list_page import CITIES, list_content, register_facts
from app.cities.permissions import reads_cities
from app.cities.queries import CityRow
from app.cities.row_format import city_name
from app.cities.rules import clean_users, is_flawed
from app.current import actor
from app.database.idempotency import new_key
from app.errors import Invalid, Locked, NotFound
from app.web.forms import add_form_errors
from app.web.permissions import role_required
from app.web.urls import came_from, safe_next

bp = Blueprint("cities", __name__)
Answer = Response | tuple[str, int] | str

CITY = "/cities/<int:city_id>"


@bp.get("/cities")
@reads_cities
def list_cities() -> str:
    """The list, as its address says."""
    may_write, listing = actor().may_write, CITIES.read(request.args)
    content = list_content(listing, CITIES.read_cursor(listing, request.args), may_write)
    return render_template("cities/list_cities.html", content=content, may_write=may_write)


@bp.route("/cities/new", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def create_city() -> Answer:
    """A new city. The same names again are told, and added when that is meant."""
    form, status, same = CityForm(), 200, None
    anyway = "anyway" in request.form
    if request.method == "POST":
        try:
            city_id = services.create_city(
                actor(), *form.values(), key=form.key.data, anyway=anyway
            )
        except services.AlreadyThere as error:
            status, same = error.status, error.city_id
        except (Invalid, Locked) as error:
            status = add_form_errors(form, error)
        else:
            return added(city_id, form.city.data)
    form.key.data = form.key.data or new_key()
    return edit_page(form, status, same=same)


def added(city_id: int, name: str | None) -> Response:
    """Back to the list, where the new city stands at the top, with a link to it."""
    message: Any = {
        "text": _("%(name)s is added.", name=city_name(name)),
        "link": url_for("cities.edit_city", city_id=city_id),
        "link_text": _("Open"),
    }
    flash(message, "good")
    return redirect(url_for("cities.list_cities"), 303)


@bp.get(CITY)
@reads_cities
def edit_city(city_id: int) -> Answer:
    """The form of a city; its plain facts for those who only read."""
    row = services.get_city(city_id)
    if not actor().may_write:
        return render_template(
            "cities/show_city.html", row=row, back=came_from("cities.list_cities")
        )
    form = CityForm(
        province=row.provincename,
        city=row.cityname,
        number="" if row.usernumber is None else row.usernumber,
        version=services.form_version(row),
        next=came_from("cities.list_cities"),
    )
    return edit_page(form, 200, row)


@bp.post(CITY)
@role_required(Role.EDITOR)
def update_city(city_id: int) -> Answer:
    """Save what was typed, unless the city changed or went since the form was made."""
    form, same = CityForm(), None
    try:
        services.update_city(
            actor(), city_id, form.version.data, *form.values(), anyway="anyway" in request.form
        )
    except services.Outdated:
        return outdated_page(form, services.get_city(city_id))
    except NotFound:
        form.key.data = new_key()
        return edit_page(form, 404, gone=True)
    except services.AlreadyThere as error:
        status, same = error.status, error.city_id
    except (Invalid, Locked) as error:
        status = add_form_errors(form, error)
    else:
        flash(_("%(name)s is saved.", name=city_name(form.city.data)), "good")
        return redirect(safe_next(form.next.data, url_for("cities.list_cities")), 303)
    return edit_page(form, status, services.get_city(city_id), same)


def edit_page(
    form: CityForm,
    status: int,
    row: CityRow | None = None,
    same: int | None = None,
    gone: bool = False,
    changes: list[tuple[str, str, str]] | None = None,
) -> tuple[str, int]:
    """The form, for a new city or for `row`; with `same`, the id of one that has its names;
    with `gone`, for a city that was removed meanwhile; with `changes`, for one saved meanwhile."""
    page = render_template(
        "cities/edit_city.html",
        form=form,
        row=row,
        same=same,
        gone=gone,
        changes=changes,
        flawed=row is not None and is_flawed(row.provincename, row.cityname, row.usernumber),
        provinces=register_facts().provinces,
        back=safe_next(form.next.data, url_for("cities.list_cities")),
    )
    return page, status


def outdated_page(form: CityForm, row: CityRow) -> tuple[str, int]:
    """What is saved now beside what was typed. Sent again from here, the form knows the present
    state and is saved."""
    form.version.data = services.form_version(row)
    saved = (row.cityname, row.provincename, row.usernumber)
    typed = (form.city.data or "", form.province.data or "", clean_users(form.number.data))
    fields = (form.city, form.province, form.number)
    changes = [
        (str(field.label.text), "" if old is None else str(old), str(new).strip())
        for field, old, new in zip(fields, saved, typed, strict=True)
    ]
    return edit_page(form, services.Outdated.status, row, changes=changes)


@bp.route(f"{CITY}/delete", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def delete_city(city_id: int) -> Answer:
    """Asks, or removes and offers to undo it."""
    if request.method == "GET":
        row = services.get_city(city_id)
        return render_template(
            "cities/delete_city.html", row=row, back=came_from("cities.list_cities")
        )
    removed_id, name = services.delete_city(actor(), city_id)
    undo = url_for("cities.restore_city", removed_id=removed_id)
    message: Any = {"text": _("%(name)s is removed.", name=city_name(name)), "undo": undo}
    flash(message, "good")
    return redirect(safe_next(request.form.get("next"), came_from("cities.list_cities")), 303)


@bp.post("/cities/removed/<int:removed_id>/restore")
@role_required(Role.EDITOR)
def restore_city(removed_id: int) -> Response:
    """Undo a removal."""
    _city_id, name = services.restore_city(actor(), removed_id)
    flash(_("%(name)s is back.", name=city_name(name)), "good")
    return redirect(came_from("cities.list_cities"), 303)
