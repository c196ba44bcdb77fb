"""The pages of shared files: the list, one file, removing and bringing back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.current import actor, settings
from app.files import listing, purging, services
from app.web.listings import Filter, ListAddress, read_flag, read_text
from app.web.permissions import role_required
from app.web.urls import came_from

bp = Blueprint("files", __name__)

FILES = ListAddress(
    "files.list_files",
    listing.FileListing,
    {
        "search": Filter("q", lambda text: read_text(listing.SEARCH_LENGTH)(text.strip())),
        "removed": Filter("removed", read_flag),
    },
)


@bp.get("/files")
@role_required()
def list_files() -> str:
    """The list, with the zone for uploads for those who may write. Of what was removed a viewer
    sees only their own files, which they may bring back."""
    removed_of = None if actor().may_write else actor().person_id
    asked = FILES.read(request.args, removed_of=removed_of)
    # The sums come first, because asking for them may end the transaction the rows are read in.
    total, size = listing.read_sums(asked)
    page = listing.select_files(asked, FILES.read_cursor(asked, request.args), total)
    return render_template(
        "files/list_files.html",
        listing=asked,
        list=FILES.show(asked, page, total),
        size=size,
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
