"""The pages of shared files: the list, one file, removing and restoring, lines for scripts."""

from functools import partial
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.current import actor, settings
from app.database.keyset import SEARCH_LENGTH
from app.errors import NotFound
from app.files import listing, queries, rules, services
from app.files.folders import queries as folders
from app.files.folders.addresses import folder_crumbs, list_before
from app.files.folders.checks import may_change_folders
from app.files.folders.models import Folder
from app.files.folders.paths import name_of, parent_of, path_of_address
from app.files.preview import services as previews
from app.files.preview.kinds import type_name
from app.files.removed.pages import removed_file_page, removed_folder_page
from app.files.upload.earlier import make_current as make_version_current
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.web.hooks import CONTENT_SECURITY_POLICY
from app.web.listings import Filter, ListAddress, read_flag, read_words
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import page_before

bp = Blueprint("files", __name__)

FILES = ListAddress(
    "files.list_files",
    listing.FileListing,
    {
        "folder": Filter("folder", str),
        "search": Filter("q", read_words(SEARCH_LENGTH)),
        "flawed": Filter("check", read_flag),
    },
)
# What the page of a file may show besides what every page may.
PREVIEWS = "frame-src 'self'; media-src 'self'"
ABOUT_VERSIONS = 20  # the latest of them whose history is shown
EXAMPLES = (
    "curl_upload",
    "curl_folder",
    "curl_download",
    "curl_by_number",
    "python_upload",
    "python_download",
)


@bp.get("/files")
@bp.get("/files/folders/<path:folder>")
@role_required()
def list_files(folder: str = "") -> ResponseReturnValue:
    """A folder: what is in it, with the upload zone for editors."""
    asked = FILES.read({**request.args, "folder": path_of_address(folder)})
    if request.args.get("removed") == "1":  # the address of earlier releases
        return redirect(url_for("files_removed.list_removed", q=asked.search or None))
    # The totals come first, because reading them may end the transaction the rows are read in.
    totals = folders.read_totals(actor(), asked)
    cursor = FILES.read_cursor(asked, request.args)
    try:
        here = folders.find_folder(actor(), asked.folder) if folder else None
    except NotFound as missing:
        return removed_folder_page(asked.folder, missing)
    page = listing.select_files(actor(), asked, cursor, totals.known_rows)
    rows = [row for row in page.rows if isinstance(row, Folder)]
    return render_template(
        "files/list_files.html",
        listing=asked,
        folder=here,
        list=FILES.show(asked, page, totals.known_rows),
        totals=totals,
        counts=folders.count_below(actor(), rows),
        **rights_in(here),
        search_length=SEARCH_LENGTH,
        limits=settings(),
    )


def rights_in(folder: Folder | None) -> dict[str, Any]:
    """What the actor may do in a folder."""
    return {
        "may_change": partial(rules.may_change, actor()),
        "may_change_folder": folder is not None and may_change_folders(actor(), [folder]),
        "may_remove": queries.may_change_some(actor()),
    }


@bp.get("/files/<int:file_id>/details")
@role_required()
def show_file(file_id: int) -> ResponseReturnValue:
    """One file: a preview, facts, its versions and its history."""
    try:
        file = queries.load_file(actor(), file_id)
    except NotFound as missing:
        return removed_file_page(file_id, ABOUT_VERSIONS, missing)
    versions = queries.list_versions(actor(), file)
    ids = [row.id for row in versions[:ABOUT_VERSIONS]]
    entries = entries_about(actor(), "file", file.id, others=ids)
    page = render_template(
        "files/show_file.html",
        file=file,
        kind=type_name(file.extension),
        crumbs=folder_crumbs(file.folder),
        versions=versions,
        may_change=rules.may_change(actor(), file),
        about=describe_feed(actor(), entries, about=True),
        preview=previews.show(actor(), file),
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; {PREVIEWS}"
    return response


@bp.post("/files/<int:file_id>/current")
@role_required()
def make_current(file_id: int) -> Response:
    """Make an earlier version the current one."""
    copy_id, number = make_version_current(actor(), file_id)
    Notice(_("This is the current version again, as version %(n)d.", n=number)).show()
    return redirect(url_for("files.show_file", file_id=copy_id), 303)


@bp.post("/files/<int:file_id>/remove")
@role_required()
def remove_file(file_id: int) -> Response:
    """Remove a file; it can be restored for some days."""
    path = services.remove_file(actor(), file_id)
    undo = url_for("files.restore_file", file_id=file_id)
    Notice(_("%(name)s was removed.", name=name_of(path)), undo=undo).show()
    return redirect(list_before(parent_of(path)), 303)


@bp.post("/files/<int:file_id>/restore")
@role_required()
def restore_file(file_id: int) -> Response:
    restored_notice(services.restore_file(actor(), file_id)).show()
    return redirect(page_before(url_for("files.list_files")), 303)


def restored_notice(file: services.RestoredFile) -> Notice:
    """The notice for a restored file; with a link if a newer version is the current one."""
    text = str(file.message)
    if file.version == file.current_version:
        return Notice(text)
    link = url_for("files.show_file", file_id=file.current_id)
    return Notice(text, link=link, link_text=_("Show current version"))


@bp.get("/files/scripts")
@role_required()
def scripts() -> str:
    """The page "For scripts": lines to type for uploads and downloads on this server."""
    server = request.url_root.rstrip("/")
    # Plain text, which is escaped where the page shows it.
    examples = {
        name: render_template(f"files/examples/{name}.txt", server=server) for name in EXAMPLES
    }
    return render_template("files/scripts.html", examples=examples, limits=settings())


@bp.get("/list_files")
def old_list() -> Response:
    """The original program's address of the list."""
    return redirect(url_for("files.list_files"), 302)
