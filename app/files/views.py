"""The pages of shared files: the list, one file, removing and bringing back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.current import actor, settings
from app.files import listing, purging, services
from app.web.permissions import role_required
from app.web.urls import came_from

bp = Blueprint("files", __name__)


@bp.get("/files")
@role_required()
def list_files() -> str:
    """The list, with the zone for uploads for those who may write."""
    asked = listing.read_listing(request.args, None if actor().may_write else actor().person_id)
    return render_template(
        "files/list_files.html",
        listing=asked,
        page=listing.read_page(asked, request.args),
        may_remove=actor().may_write or services.owns_files(actor().person_id),
        limits=settings(),
        undo_days=purging.UNDO_DAYS,
    )


@bp.get("/files/<int:file_id>/details")
@role_required()
def show_file(file_id: int) -> str:
    """One file: from whom, its SHA-256, its versions."""
    file = services.get_file(file_id)
    return render_template(
        "files/show_file.html",
        file=file,
        owner=services.owner_name(file),
        versions=services.list_versions(file),
    )


@bp.post("/files/<int:file_id>/remove")
@role_required()
def remove_file(file_id: int) -> Response:
    """Out of the list; it can be brought back for some days."""
    name = services.remove_file(actor().person_id, file_id)
    text = _("%(name)s is removed.", name=name)
    undo = url_for("files.restore_file", file_id=file_id)
    flash({"text": text, "undo": undo}, "good")  # type: ignore[arg-type]
    return redirect(came_from("files.list_files"), 303)


@bp.post("/files/<int:file_id>/restore")
@role_required()
def restore_file(file_id: int) -> Response:
    """Back into the list, or below a newer version that was uploaded meanwhile."""
    back = services.restore_file(actor().person_id, file_id)
    said = {"text": _("%(name)s is back.", name=back.name)}
    if back.version < back.present:
        said = {
            "text": _(
                "%(name)s is back as version %(n)d. It was uploaded again meanwhile: version "
                "%(present)d is the present one.",
                name=back.name,
                n=back.version,
                present=back.present,
            ),
            "link": url_for("files.show_file", file_id=back.present_id),
            "link_text": _("Show it"),
        }
    flash(said, "good")  # type: ignore[arg-type]
    return redirect(came_from("files.list_files"), 303)
