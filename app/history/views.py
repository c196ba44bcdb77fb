"""The page of the history, for administrators, and undoing a change."""

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import Role
from app.current import actor
from app.history import queries
from app.history.bulk import load_heads
from app.history.entries import COMMAND_LINE, describe, person_names, subject_of
from app.history.models import BATCH_ID_LENGTH, KIND_LENGTH, HistoryEntry
from app.history.queries import FIRST_YEAR, OPERATOR, HistoryListing
from app.history.recent import HEADS_MOST
from app.history.subjects import all_subjects
from app.history.undo import undo_entries, undo_entry
from app.text import join_sentences, parse_integer
from app.web.client import time_zone
from app.web.listings import Filter, ListAddress, bounded_text
from app.web.navigation import home_url
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import referring_page, safe_next

bp = Blueprint("history", __name__)


def read_day(text: str) -> date | None:
    """A day as browsers send it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < 9999 and day.isoformat() == text else None


HISTORY = ListAddress(
    "history.list_history",
    HistoryListing,
    {
        "person": Filter("person", lambda text: parse_integer(text, 0, 2**31 - 1)),
        "kind": Filter("kind", bounded_text(KIND_LENGTH)),
        "day": Filter("day", read_day),
        "batch": Filter("batch", bounded_text(BATCH_ID_LENGTH)),
    },
)


@bp.get("/history")
@role_required(Role.ADMIN, by_token=False)
def list_history() -> str:
    """Every change that was made, newest first."""
    listing = HISTORY.read(request.args)
    cursor = HISTORY.read_cursor(listing, request.args)
    zone = ZoneInfo(time_zone())
    page, total = queries.select_entries(actor(), listing, cursor, zone)
    return render_template(
        "history/list_history.html",
        listing=listing,
        list=HISTORY.show(listing, page, total, describe(actor(), page.rows)),
        people=author_names(listing.person),
        ignored=ignored_filters(listing),
        kinds={kind: str(subject.name) for kind, subject in all_subjects().items()},
    )


@bp.post("/history/<int:entry_id>/undo")
@role_required()
def undo_change(entry_id: int) -> Response:
    """Undo what an entry says, for whoever may."""
    entry = queries.load_entry(actor(), entry_id)
    Notice(str(undo_entry(actor(), entry))).show()
    return redirect(page_after(entry), 303)


@bp.post("/history/undo")
@role_required()
def undo_changes() -> Response:
    """Undo the changes of one line of the feed, for whoever may."""
    heads = load_heads(actor(), read_ids(request.form.get("entries", "")))
    Notice(join_sentences(undo_entries(actor(), heads))).show()
    return redirect(safe_next(referring_page()[1], home_url()), 303)


def read_ids(text: str) -> list[int]:
    """The ids of entries in a form; those that cannot be any are 0, which none has."""
    return [parse_integer(each, 1, 2**63 - 1) or 0 for each in text.split()[:HEADS_MOST]]


def page_after(entry: HistoryEntry) -> str:
    """The page that the person came from; if it was that of something that is gone now, the page
    that the subject names for that."""
    subject = subject_of(entry.subject_kind)
    path, page = referring_page()
    ids = list(subject.labels([entry.subject_id]))
    is_gone = not subject.may_read(actor(), ids)
    if is_gone and path == subject.url(entry.subject_id):
        return subject.url_when_gone(actor(), entry.subject_id) or home_url()
    return safe_next(page, home_url())


def ignored_filters(listing: HistoryListing) -> list[str]:
    """The names of the filters whose values in the address cannot be read."""
    names = {"person": _("Person"), "day": _("Day")}
    return [
        name
        for field, name in names.items()
        if request.args.get(field) and getattr(listing, field) is None
    ]


def author_names(chosen: int | None) -> dict[int, str]:
    """The choices of the filter by person, in the order of their names; the command line last."""
    names = person_names({*queries.list_authors(actor()), *([chosen] if chosen else [])})
    ordered = sorted(names.items(), key=lambda item: (item[1].casefold(), item[0]))
    return {**dict(ordered), OPERATOR: str(COMMAND_LINE)}
