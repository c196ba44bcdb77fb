"""The pages of removed files."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from app.actor import Role
from app.database.keyset import COUNT_MOST
from app.files.removed import folders, queries
from app.files.removed.services import empty_removed
from app.removed.pages import empty_page, list_address, list_page
from app.web.formatting import format_number
from app.web.listings import ListAddress, total_text
from app.web.permissions import role_required

bp = Blueprint("files_removed", __name__)

REMOVED = list_address("files_removed.list_removed", queries.RemovedFileListing)
FOLDERS = ListAddress("files_removed.list_folders", folders.RemovedFolderListing, {})


@bp.get("/files/removed")
@role_required()
def list_removed() -> str:
    """The removed files that the person may restore, with who removed them and when."""
    return list_page(REMOVED, queries.select_removed, "files/removed/list_removed.html")


@bp.get("/files/removed/folders")
@role_required()
def list_folders() -> str:
    """The removed folders that the person may restore, with who removed them and when."""
    template = "files/removed/list_folders.html"
    return list_page(
        FOLDERS,
        folders.select_removed_folders,
        template,
        count_most=COUNT_MOST,
        total_text=total_text,
    )


@bp.route("/files/removed/empty", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def empty_list() -> ResponseReturnValue:
    """Ask, or delete all removed files permanently."""
    template = "files/removed/empty_list.html"
    return empty_page(REMOVED, queries.count_removed, empty_removed, deleted_text, template)


def deleted_text(count: int) -> str:
    return str(
        ngettext(
            "%(count)s removed file was deleted permanently.",
            "%(count)s removed files were deleted permanently.",
            count,
            count=format_number(count),
        )
    )
