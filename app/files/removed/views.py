"""The pages of removed files."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from app.actor import Role
from app.current import actor, settings
from app.database.keyset import SEARCH_LENGTH
from app.files.removed import queries
from app.files.removed.queries import RemovedFileListing
from app.files.removed.services import empty_removed
from app.removed.forms import EmptyForm
from app.times import now
from app.web.formatting import format_number
from app.web.forms import submit
from app.web.listings import Filter, ListAddress, read_words
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("files_removed", __name__)

REMOVED = ListAddress(
    "files_removed.list_removed",
    RemovedFileListing,
    {"search": Filter("q", read_words(SEARCH_LENGTH))},
)


@bp.get("/files/removed")
@role_required()
def list_removed() -> str:
    """The removed files that the person may restore, with who removed them and when."""
    listing = REMOVED.read(request.args)
    cursor = REMOVED.read_cursor(listing, request.args)
    page, total = queries.select_removed(actor(), listing, cursor)
    return render_template(
        "files/removed/list_removed.html",
        listing=listing,
        list=REMOVED.show(listing, page, total),
        days=settings().removed_days,
        search_length=SEARCH_LENGTH,
    )


@bp.route("/files/removed/empty", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def empty_list() -> ResponseReturnValue:
    """Ask, or delete all removed files permanently."""
    form = EmptyForm()
    sent = submit(form, lambda: empty_removed(actor(), form.moment))
    if sent.done:
        count = sent.result
        text = ngettext(
            "%(count)s removed file was deleted permanently.",
            "%(count)s removed files were deleted permanently.",
            count,
            count=format_number(count),
        )
        Notice(text).show()
        return redirect(url_for("files_removed.list_removed"), 303)
    form.until.data = now().isoformat()
    count = queries.count_removed(actor())
    return render_template("files/removed/empty_list.html", form=form, count=count), sent.status
