"""The pages of the register."""

from flask import Blueprint

from app.auth.guards import reads_cities

bp = Blueprint("cities", __name__)


@bp.get("/cities")
@reads_cities
def list_cities() -> str:
    """The list."""
    return "cities"


@bp.get("/cities/glance")
@reads_cities
def glance() -> str:
    """Totals."""
    return "glance"
