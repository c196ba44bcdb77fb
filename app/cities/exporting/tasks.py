"""The export as a job, whose file is added to the Files of its person: for many cities, for those
who do not want to wait, and for schedules."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import to_user_timezone

from app.actor import Actor, Role
from app.auth.queries import remembered_codec
from app.cities.exporting.encodings import PARTIAL, check_encoding
from app.cities.exporting.formats import FORMATS, XLSX, Format, name_of_codec
from app.cities.exporting.forms import ORDERS, SORTS, ExportForm
from app.cities.exporting.queries import batches, count_all
from app.cities.listing.list_page import CITIES
from app.cities.listing.queries import CityListing
from app.errors import Invalid
from app.files.storage.results import store_result
from app.jobs.kinds import Args, JobKind
from app.jobs.run import Run
from app.text import N_
from app.times import now
from app.web.listings import as_text

NO_FORMAT = N_("Choose one of the formats of the list.")


def export(run: Run) -> None:
    """Write the file. One that cannot hold a character is refused before its first row."""
    chosen, listing = read_format(run.args), read_listing(run.args)
    total = count_all(run.actor, listing)
    if chosen.encoding and chosen.encoding in PARTIAL:
        check_encoding(reported(run, batches(run.actor, listing), None), chosen.encoding)
    name = f"cities-{to_user_timezone(now()):%Y-%m-%d-%H%M}.{chosen.extension}"
    rows = reported(run, batches(run.actor, listing), total)
    store_result(run, name, chosen.write(rows))


def reported(
    run: Run, found: Iterator[Sequence[Any]], total: int | None
) -> Iterator[Sequence[Any]]:
    """The batches, whose rows are the progress of the job: of the total, which may be older, or of
    an unknown number."""
    done = 0
    for rows in found:
        yield rows
        done += len(rows)
        run.report(done if total else 0, max(total, done + 1) if total else None)
    if total:
        run.report(done, done)


def read_format(args: Args) -> Format:
    found = FORMATS.get(str(args.get("format") or XLSX))
    if found is None:
        raise Invalid(fields={"format": NO_FORMAT})
    return found


def read_listing(args: Args) -> CityListing:
    """The list of the arguments, which are those of its address."""
    return CITIES.read({name: as_text(value or "") for name, value in args.items()})


def check_export(args: Args) -> Args:
    """The arguments, each as the form has it; unknown ones of the list become the default."""
    read_format(args)
    listing = read_listing(args)
    return {
        "format": args.get("format") or XLSX,
        "q": listing.search,
        "province": listing.province,
        "no_province": listing.no_province,
        "flawed": listing.flawed,
        "sort": listing.sort,
        "order": "desc" if listing.descending else "asc",
    }


def describe_export(args: Args) -> dict[str, str]:
    """The format, the filters that are set, and the order."""
    listing = read_listing(args)
    shown = {
        "format": str(read_format(args).label),
        "q": listing.search,
        "province": listing.province,
        "no_province": _("Yes") if listing.no_province else "",
        "flawed": _("Yes") if listing.flawed else "",
        "sort": str(SORTS[listing.sort]),
        "order": str(ORDERS["desc" if listing.descending else "asc"]),
    }
    return {name: text for name, text in shown.items() if text}


def own_format(actor: Actor) -> Args:
    """The format in the encoding in which somebody had a file read the last time."""
    return {"format": name_of_codec(remembered_codec(actor)) or XLSX}


EXPORT = JobKind(
    "cities.export",
    _l("Export of cities"),
    export,
    Role.VIEWER,
    ExportForm,
    offered=True,
    check=check_export,
    describe=describe_export,
    suggest=own_format,
)
