"""The pages of an import."""

from functools import partial

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from app.actor import Role
from app.cities.exporting.csv_writer import HEADER
from app.cities.exporting.views import begun, csv_file
from app.cities.fields import CSV_FIELDS, DETAILS, FIELDS
from app.cities.importing import pages, queries, services
from app.cities.importing.applying.pages import SHOWN, show_result
from app.cities.importing.applying.queries import CONFIRMED
from app.cities.importing.forms import ImportForm, ReadingForm
from app.cities.importing.models import MOST_WAITING, ImportState, LineKind, LineOutcome
from app.cities.importing.queries import load_import
from app.cities.importing.reading.header import SEPARATORS
from app.cities.importing.reading.tables import MOST_BYTES, MOST_LINES, WORKBOOK_BYTES
from app.cities.importing.refused import stream_refused
from app.cities.importing.storage import SentFile
from app.current import actor
from app.history.feed import describe_feed
from app.history.queries import latest_entries
from app.jobs.queries import find_job
from app.jobs.rows import show_job
from app.jobs.waiting import read_end
from app.web.declarations import attachment, max_body, receives_files
from app.web.forms import submit
from app.web.listings import Filter, ListAddress
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("importing", __name__)

IMPORT = "/cities/import/<int:import_id>"
# Only the kinds, so that GET is answered 405 where POST confirms or cancels.
PARTS = (*LineKind, LineOutcome.SKIPPED, LineOutcome.KEPT)
KIND = f"<any({','.join(PARTS)}):kind>"
# The number of the import and the kind are parts of the path.
LINES = ListAddress(
    "importing.import_part",
    queries.LineListing,
    {"import_id": Filter("import_id", int), "kind": Filter("kind", str)},
)
# The fields that templates show of each line.
SHOWN_FIELDS = {"fields": FIELDS, "details": DETAILS, "csv_fields": CSV_FIELDS}
# The first lines of a file, as cells.
EXAMPLE = [HEADER, *zip(*(field.examples for field in CSV_FIELDS), strict=True)]


@bp.route("/cities/import", methods=["GET", "POST"])
@max_body(MOST_BYTES + 10_000)  # room for the other fields of the form
@receives_files(SentFile)
@role_required(Role.EDITOR)
def import_cities() -> Redirect | tuple[str, int]:
    """Choose a file, which leads to its preview."""
    form = ImportForm()
    file = form.file.data
    sent = submit(form, lambda: services.send_file(actor(), file.filename, file.stream))
    if sent.done:
        return redirect(url_for("importing.import_preview", import_id=sent.result), 303)
    return render_template(
        "cities/importing/import_cities.html",
        form=form,
        waiting=queries.list_waiting(actor()),
        latest=describe_feed(actor(), latest_entries(actor(), "import.apply")),
        most=MOST_LINES,
        most_bytes=MOST_BYTES,
        workbook_bytes=WORKBOOK_BYTES,
        most_waiting=MOST_WAITING,
        example=EXAMPLE,
    ), sent.status


@bp.get(IMPORT)
@role_required(Role.EDITOR)
def import_preview(import_id: int) -> Redirect | str:
    """What a staged file would do, or how far its staging is; once that is confirmed, what it has
    done. Before it is staged the address leads to the choice how it is read."""
    found = load_import(actor(), import_id, unfinished=True)
    if found.state in CONFIRMED:
        shown = {**show_result(found), **SHOWN_FIELDS}
        return render_template("cities/importing/import_result.html", **shown)
    if found.state == ImportState.STORED:
        return redirect(url_for("importing.choose_reading", import_id=import_id), 303)
    if found.state == ImportState.STAGING:
        return render_template(
            "cities/importing/import_progress.html", found=found, **show_job(find_job(found.job_id))
        )
    return render_template(
        "cities/importing/import_preview.html",
        found=found,
        counts=found.line_counts,
        parts=queries.first_lines(found, SHOWN),
        missing=[field for field in DETAILS if field.name not in (found.fields or [])],
        failure=read_end(found.job_id).failure,
        separators=SEPARATORS,
        **SHOWN_FIELDS,
    )


@bp.route(f"{IMPORT}/reading", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def choose_reading(import_id: int) -> Redirect | tuple[str, int]:
    """How is this file to be read? Links choose encoding, separator and sheet, the form the
    columns."""
    sent_form = ReadingForm()
    sent = submit(sent_form, lambda: services.read_again(actor(), import_id, sent_form.reading))
    if sent.done:
        return redirect(url_for("importing.import_preview", import_id=import_id), 303)
    page = pages.show_reading(actor(), import_id, request.values)
    if page is None:
        return redirect(url_for("importing.import_preview", import_id=import_id), 303)
    form = sent_form if request.method == "POST" or "draft" in g else page.fill(ReadingForm)
    return render_template(
        "cities/importing/choose_reading.html",
        form=form,
        page=page,
        separators=SEPARATORS,
        link=partial(url_for, "importing.choose_reading", import_id=import_id),
    ), sent.status


@bp.get(f"{IMPORT}/{KIND}")
@role_required(Role.EDITOR)
def import_part(import_id: int, kind: str) -> str:
    """All lines of one kind, or of which became one thing, page by page."""
    found = load_import(actor(), import_id)
    total = queries.count_part(found, kind)
    listing = LINES.read({**request.args, "import_id": str(import_id), "kind": kind})
    cursor = LINES.read_cursor(listing, request.args)
    page = queries.select_lines(found, listing, cursor, listing.size, total)
    return render_template(
        "cities/importing/import_part.html",
        found=found,
        kind=kind,
        list=LINES.show(listing, page, total),
        **SHOWN_FIELDS,
    )


@bp.get(f"{IMPORT}/refused.csv")
@attachment(lambda import_id: url_for("importing.import_preview", import_id=import_id))
@role_required(Role.EDITOR)
def refused_lines(import_id: int) -> Response:
    """The refused lines with their reasons and the columns that the file had. Once corrected, this
    file can be imported: the columns in front are ignored."""
    found = load_import(actor(), import_id)
    fields = [field for field in CSV_FIELDS if field.name in (found.fields or [])]
    return csv_file(begun(stream_refused(queries.read_refused(found.id), fields)), "refused.csv")


@bp.post(f"{IMPORT}/cancel")
@role_required(Role.EDITOR)
def cancel_import(import_id: int) -> Redirect:
    services.cancel_import(actor(), import_id)
    Notice(_("The import was cancelled; nothing was changed.")).show()
    return redirect(url_for("importing.import_cities"), 303)
