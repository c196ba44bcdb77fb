"""The register as a file, in the order and with the filters of the list."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import to_user_timezone

from app.auth.queries import remembered_codec
from app.cities.exporting.csv_writer import stream_csv
from app.cities.exporting.encodings import PARTIAL, NotInEncoding, check_encoding, read_encoding
from app.cities.exporting.formats import FORMATS, XLSX, name_of_codec
from app.cities.exporting.queries import STREAMED_MOST, batches, is_large
from app.cities.exporting.xlsx_writer import CONTENT_TYPE, stream_xlsx
from app.cities.listing.list_page import CITIES
from app.cities.listing.queries import CityListing
from app.cities.views import reads_cities
from app.current import actor
from app.errors import Invalid
from app.jobs.models import RESULT_DAYS
from app.text import N_
from app.textfiles.encoding import UTF_8, Encoding
from app.times import now
from app.web.client import wants_page
from app.web.declarations import attachment

LAST = "last"
NO_ENCODING = N_("You have not chosen an encoding for an import yet.")
OTHER_ENCODING = N_("Your last import was read in an encoding in which cities are not exported.")

bp = Blueprint("cities_export", __name__)
leads_to_list = attachment(lambda: url_for("cities.list_cities"))


@bp.get("/cities/export.csv")
@leads_to_list
@reads_cities
def export_cities() -> ResponseReturnValue:
    """The list as a CSV file."""
    encoding, listing = read_encoding(asked_encoding()), read_listing()
    if is_for_job(listing):
        return job_page(listing, encoding.name.lower())
    if encoding in PARTIAL:
        try:
            check_encoding(batches(actor(), listing), encoding)
        except NotInEncoding as refusal:
            return refused_page(refusal, listing)
    pieces = stream_csv(batches(actor(), listing), encoding)
    return csv_file(begun(pieces), f"{file_name()}.csv", encoding)


@bp.get("/cities/export.xlsx")
@leads_to_list
@reads_cities
def export_workbook() -> ResponseReturnValue:
    """The list as an Excel file."""
    listing = read_listing()
    if is_for_job(listing):
        return job_page(listing, XLSX)
    pieces = stream_xlsx(batches(actor(), listing))
    return attached(begun(pieces), f"{file_name()}.xlsx", CONTENT_TYPE)


def read_listing() -> CityListing:
    return CITIES.read(request.args)


def asked_encoding() -> str:
    """The name of the encoding in the address; for `last` that in which the person had a file read
    the last time. Invalid if it is none of those of an export."""
    name = request.args.get("encoding", "")
    if name != LAST:
        return name
    codec = remembered_codec(actor())
    if codec and (found := name_of_codec(codec)):
        return found
    raise Invalid(OTHER_ENCODING if codec else NO_ENCODING)


def is_for_job(listing: CityListing) -> bool:
    """True for somebody with a browser who wants many rows. A script, which has no page of jobs,
    gets any number of them at once."""
    return wants_page() and is_large(actor(), listing)


def job_page(listing: CityListing, name: str) -> tuple[str, int]:
    """Offers the file in this format as the result of a job."""
    order = "desc" if listing.descending else "asc"
    page = render_template(
        "cities/exporting/large.html",
        args=CITIES.args(listing),
        job_args={"format": name, **CITIES.args(listing), "sort": listing.sort, "order": order},
        most=STREAMED_MOST,
        days=RESULT_DAYS,
    )
    return page, 422


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, the first of which is made before anything is sent, so that an unavailable
    database is answered with 503."""
    first = next(pieces)
    return stream_with_context(chain([first], pieces))


def file_name() -> str:
    return f"cities-{to_user_timezone(now()).date().isoformat()}"


def refused_page(refusal: NotInEncoding, listing: CityListing) -> tuple[str, int]:
    """Says which city the encoding cannot hold, and offers the list in other formats."""
    if not wants_page():
        raise refusal
    page = render_template(
        "cities/exporting/refused.html",
        refusal=refusal,
        args=CITIES.args(listing),
        formats=FORMATS,
    )
    return page, refusal.status


def csv_file(content: Any, name: str, encoding: Encoding = UTF_8) -> Response:
    return attached(content, name, f"text/csv; charset={encoding.name.lower()}")


def attached(content: Any, name: str, content_type: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(
        content, content_type=content_type, headers={"Content-Disposition": disposition}
    )
