"""Bringing cities in and taking them out as CSV, and the page of totals."""

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from app.actor import Role
from app.cities.csv_export import HEADER, MARK, write_csv
from app.cities.export_views import csv_file
from app.cities.importing import apply, staging
from app.cities.importing.csv_table import MOST_BYTES, MOST_LINES
from app.cities.importing.forms import ImportForm
from app.cities.importing.models import Kind
from app.current import actor
from app.errors import DomainError
from app.text import parse_integer
from app.web.declarations import max_body
from app.web.formatting import format_number
from app.web.forms import add_form_errors
from app.web.permissions import role_required

bp = Blueprint("importing", __name__)

IMPORT = "/cities/import/<int:import_id>"
# Only the kinds: else GET would be answered 404 where POST confirms or cancels, instead of 405.
KIND = f"<any({','.join(Kind)}):kind>"
SHOWN = 20  # lines of each kind on the preview itself; the rest is one link away


@bp.route("/cities/import", methods=["GET", "POST"])
@max_body(MOST_BYTES + 10_000)  # the head of the form has a little room beside the file
@role_required(Role.EDITOR)
def import_cities() -> Redirect | tuple[str, int]:
    """Choose a file; then on to what it would do."""
    form = ImportForm()
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        file = form.file.data
        try:
            import_id = staging.stage_file(actor().person_id, file.filename, file.read())
        except DomainError as error:
            status = add_form_errors(form, error)
        else:
            return redirect(url_for("importing.import_preview", import_id=import_id), 303)
    waiting = staging.list_waiting(actor().person_id)
    return render_template(
        "cities/importing/import_cities.html",
        form=form,
        waiting=waiting,
        most=MOST_LINES,
        most_bytes=MOST_BYTES,
        header=HEADER,
    ), status


def owner() -> int | None:
    """Whose imports this person may see: one's own, administrators everybody's."""
    return None if actor().is_admin else actor().person_id


@bp.get(IMPORT)
@role_required(Role.EDITOR)
def import_preview(import_id: int) -> Redirect | str:
    """What a staged file would do. Afterwards the address leads to the list."""
    held = staging.find_import(import_id, owner())
    if held.applied_at is not None:
        return redirect(url_for("cities.list_cities"), 303)
    counts = staging.count_lines(import_id)
    parts = {
        kind: staging.read_part(import_id, kind, counts[kind], size=SHOWN)
        for kind in (Kind.CHANGED, Kind.NEW, Kind.REFUSED)
    }
    return render_template(
        "cities/importing/import_preview.html", held=held, counts=counts, parts=parts
    )


@bp.get(f"{IMPORT}/{KIND}")
@role_required(Role.EDITOR)
def import_part(import_id: int, kind: str) -> str:
    """All lines of one kind, page by page."""
    held = staging.find_import(import_id, owner())
    total = staging.count_lines(import_id)[kind]
    page = parse_integer(request.args.get("page", "1"), 1, MOST_LINES) or 1
    part = staging.read_part(import_id, kind, total, page)
    return render_template("cities/importing/import_part.html", held=held, kind=kind, part=part)


@bp.get(f"{IMPORT}/refused.csv")
@role_required(Role.EDITOR)
def refused_lines(import_id: int) -> Response:
    """The refused lines with their reasons. Corrected, the same file can be brought in again: our
    import passes over the columns in front."""
    staging.find_import(import_id, owner())
    rows = [
        (row.line, row.field, row.explanation, row.provincename, row.cityname, row.number_text)
        for row in staging.read_refused(import_id)
    ]
    return csv_file(MARK + write_csv([("line", "field", "reason", *HEADER), *rows]), "refused.csv")


@bp.post(f"{IMPORT}/confirm")
@role_required(Role.EDITOR)
def confirm_import(import_id: int) -> Redirect:
    """Take over what the preview of that number accepted."""
    preview = parse_integer(request.form.get("preview", ""), 0, 2**31) or 0
    try:
        done = apply.confirm_import(import_id, owner(), preview)
    except apply.OutdatedPreview as error:
        flash(error.message, "caution")
        return redirect(url_for("importing.import_preview", import_id=import_id), 303)
    message = {
        "text": _(
            "Imported: %(added)s new, %(changed)s changed.",
            added=format_number(done.added),
            changed=format_number(done.changed),
        ),
        "link": url_for("cities.list_cities", sort="changed"),
        "link_text": _("Show them in the list"),
    }
    flash(message, "good")  # type: ignore[arg-type]
    return redirect(url_for("cities.list_cities"), 303)


@bp.post(f"{IMPORT}/cancel")
@role_required(Role.EDITOR)
def cancel_import(import_id: int) -> Redirect:
    """Forget a staged file."""
    staging.cancel_import(import_id, owner())
    flash(_("The import is cancelled; the register is as it was."), "good")
    return redirect(url_for("importing.import_cities"), 303)
