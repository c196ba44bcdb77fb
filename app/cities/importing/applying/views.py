"""The list of imports; confirming, stopping and undoing one."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.actor import Role
from app.cities.importing.applying import queries, services
from app.cities.importing.applying.pages import describe_imports
from app.cities.importing.services import WAIT_SECONDS
from app.cities.importing.views import IMPORT
from app.current import actor
from app.jobs.waiting import wait_for_job
from app.text import read_count
from app.web.listings import ListAddress
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("imports", __name__)

IMPORTS = ListAddress("imports.list_imports", queries.ImportListing, {})


@bp.get("/cities/imports")
@role_required(Role.EDITOR)
def list_imports() -> str:
    """One's own imports, for administrators all."""
    listing = IMPORTS.read(request.args)
    cursor = IMPORTS.read_cursor(listing, request.args)
    page, total = queries.select_imports(actor(), listing, cursor)
    rows = describe_imports(actor(), page.rows)
    return render_template(
        "cities/importing/list_imports.html",
        list=IMPORTS.show(listing, page, total, rows),
    )


@bp.post(f"{IMPORT}/confirm")
@role_required(Role.EDITOR)
def confirm_import(import_id: int) -> Redirect:
    """Apply the preview of that number."""
    preview = read_count(request.form.get("preview"), 2**31)
    try:
        job_id = services.confirm_import(actor(), import_id, preview)
    except services.OutdatedPreview as error:
        Notice(error.message).show("caution")
    else:
        wait_for_job(job_id, WAIT_SECONDS)
    return to_import(import_id)


@bp.post(f"{IMPORT}/undo")
@role_required(Role.EDITOR)
def undo_import(import_id: int) -> Redirect:
    """Undo what it has done."""
    wait_for_job(services.undo_import(actor(), import_id), WAIT_SECONDS)
    return to_import(import_id)


@bp.post(f"{IMPORT}/stop")
@role_required(Role.EDITOR)
def stop_import(import_id: int) -> Redirect:
    """Stop the job of an import: what it has done so far stays."""
    wait_for_job(services.stop_import(actor(), import_id), WAIT_SECONDS)
    return to_import(import_id)


def to_import(import_id: int) -> Redirect:
    """The page of an import."""
    return redirect(url_for("importing.import_preview", import_id=import_id), 303)
