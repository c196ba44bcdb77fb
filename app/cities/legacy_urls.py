"""The addresses of the original program. They redirect to today's pages, or do what those do."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.actor import Role
from app.cities.services import missing
from app.cities.views import create_city, update_city
from app.text import parse_integer
from app.web.permissions import role_required

bp = Blueprint("cities_legacy", __name__)


def id_of(text: str | None) -> int:
    """The id in a query or form; NotFound for an invalid one."""
    city_id = parse_integer(text or "", 1, 10**18 - 1)
    if city_id is None:
        raise missing()
    return city_id


@bp.get("/select")
def select() -> Response:
    return redirect(url_for("cities.list_cities"))


@bp.get("/insert_page")
def insert_page() -> Response:
    return redirect(url_for("cities.create_city"))


@bp.post("/insert")
@role_required(Role.EDITOR)
def insert() -> ResponseReturnValue:
    """Add a city from `province`, `city` and `number`."""
    return create_city()


@bp.get("/alter")
def alter_page() -> Response:
    """The form of a city, filled from the database: the values in the query may be older."""
    return redirect(url_for("cities.edit_city", city_id=id_of(request.args.get("id"))))


@bp.post("/alter")
@role_required(Role.EDITOR)
def alter() -> ResponseReturnValue:
    """Change the city `id`. The original's form has no version, so the page shows the saved values
    beside those that were sent, and the person confirms."""
    return update_city(id_of(request.form.get("id")))


@bp.get("/delete")
def delete_page() -> Response:
    """The page that asks; the original deleted at once."""
    return redirect(url_for("cities.delete_city", city_id=id_of(request.args.get("id"))))
