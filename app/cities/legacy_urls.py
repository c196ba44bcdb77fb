"""The addresses of the original program. They lead to today's pages and do what those do."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from app.actor import Role
from app.cities.services import gone
from app.cities.views import Answer, create_city, update_city
from app.text import parse_integer
from app.web.permissions import role_required

bp = Blueprint("cities_legacy", __name__)


def asked_id(text: str | None) -> int:
    """The id that an old address names; NotFound when it names none."""
    city_id = parse_integer(text or "", 1, 10**18 - 1)
    if city_id is None:
        raise gone()
    return city_id


@bp.get("/")
@bp.get("/select")
def start() -> Response:
    """The list."""
    return redirect(url_for("cities.list_cities"))


@bp.get("/insert_page")
def insert_page() -> Response:
    """The form of a new city."""
    return redirect(url_for("cities.create_city"))


@bp.post("/insert")
@role_required(Role.EDITOR)
def insert() -> Answer:
    """Add a city from `province`, `city` and `number`."""
    return create_city()


@bp.get("/alter")
def alter_page() -> Response:
    """The form of a city, filled from the database; the values in the query are not read, since
    they may be older."""
    return redirect(url_for("cities.edit_city", city_id=asked_id(request.args.get("id"))))


@bp.post("/alter")
@role_required(Role.EDITOR)
def alter() -> Answer:
    """Change the city `id`. The original's form carried no version, so whoever sends one without
    cannot say which state they saw: instead of writing over what others may have saved since, the
    page shows what is saved beside what was sent, and the person confirms."""
    return update_city(asked_id(request.form.get("id")))


@bp.get("/delete")
def delete_page() -> Response:
    """The page that asks. The original deleted at once; nothing is deleted here."""
    return redirect(url_for("cities.delete_city", city_id=asked_id(request.args.get("id"))))
