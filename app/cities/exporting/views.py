"""The register as a CSV file."""

from itertools import chain
from typing import Any

from flask import Blueprint, Response, request, stream_with_context, url_for
from flask_babel import to_user_timezone

from app.cities.exporting.csv_writer import stream_csv
from app.cities.listing.list_page import CITIES
from app.cities.listing.queries import batches
from app.cities.views import reads_cities
from app.current import actor
from app.times import now
from app.web.declarations import attachment

bp = Blueprint("cities_export", __name__)


@bp.get("/cities/export.csv")
@attachment(lambda: url_for("cities.list_cities"))
@reads_cities
def export_cities() -> Response:
    """The list as a CSV file. The first batch is read before anything is sent, so that an
    unavailable database is answered with 503."""
    pieces = stream_csv(batches(actor(), CITIES.read(request.args)))
    first = next(pieces)
    name = f"cities-{to_user_timezone(now()).date().isoformat()}.csv"
    return csv_file(stream_with_context(chain([first], pieces)), name)


def csv_file(content: Any, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(content, mimetype="text/csv", headers={"Content-Disposition": disposition})
