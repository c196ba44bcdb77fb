"""The start page of members and of visitors, and the search in everything."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import flask_babel
from babel.numbers import format_compact_decimal
from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from app.actor import Role
from app.auth.queries import is_unclaimed
from app.cities.statistics.queries import Statistics
from app.config import LANGUAGES
from app.current import actor
from app.database.keyset import SEARCH_LENGTH
from app.history.feed import FeedRow, describe_groups
from app.start.queries import read_overview
from app.start.search import search_everything
from app.text import search_key
from app.times import now, start_of_day
from app.web.client import time_zone
from app.web.declarations import without_redis
from app.web.formatting import local
from app.web.listings import clean_words, total_text
from app.web.navigation import MenuItem, searched_entries
from app.web.permissions import role_required

bp = Blueprint("start", __name__)

BARS = 12  # provinces in the small chart


@dataclass(frozen=True)
class DayOfChanges:
    """The recent changes of one of the reader's days."""

    name: str
    is_today: bool
    rows: list[FeedRow]


@bp.get("/")
@without_redis
def show_start() -> Any:
    return show_overview() if actor().has_role(Role.VIEWER) else show_visitors()


def show_visitors() -> str:
    """What this site is, and what of it is public."""
    return render_template("start/visitors.html", unclaimed=is_unclaimed())


@role_required()
def show_overview() -> str:
    """What is new, for members."""
    today = local(now()).date()
    overview = read_overview(actor(), start_of_day(today, ZoneInfo(time_zone())))
    return render_template(
        "start/overview.html",
        overview=overview,
        changed=total_text(overview.changed_today),
        users=format_compact_decimal(
            overview.figures.users, locale=flask_babel.get_locale(), fraction_digits=1
        ),
        bars=bars_of(overview.figures),
        days=by_day(describe_groups(actor(), overview.changes, overview.uploading), today),
        today=format_day(today),
        search_length=SEARCH_LENGTH,
    )


def bars_of(figures: Statistics) -> list[tuple[str, float]]:
    """The largest provinces and the heights of their bars, in per cent."""
    return [
        (name, round(100 * max(0, users) / figures.longest, 1))
        for name, users, _cities in figures.provinces[:BARS]
    ]


def by_day(rows: list[FeedRow], today: date) -> list[DayOfChanges]:
    """The rows by the reader's days."""
    names = {today: _("Today"), today - timedelta(days=1): _("Yesterday")}
    days = groupby(rows, lambda row: local(row.at).date())
    return [
        DayOfChanges(names.get(day) or format_day(day), day == today, list(group))
        for day, group in days
    ]


def format_day(day: date) -> str:
    """With the day of the week."""
    return str(flask_babel.format_date(day, "full"))


@bp.get("/search")
@role_required()
def search() -> str:
    """Cities, files, people and pages with the words `q`."""
    words = clean_words(request.args.get("q", ""))
    is_long = len(words) > SEARCH_LENGTH
    is_asked = bool(words) and not is_long
    return render_template(
        "start/search.html",
        words=words[:SEARCH_LENGTH],
        is_long=is_long,
        found=search_everything(actor(), words) if is_asked else None,
        pages=pages_named(words) if is_asked else [],
        search_length=SEARCH_LENGTH,
    )


def pages_named(words: str) -> list[MenuItem]:
    """The pages whose names, in any of the languages, have all the words."""
    keys, found = search_key(words).split(), set[str]()
    pages = searched_entries()
    for language in LANGUAGES:
        with flask_babel.force_locale(language):
            names = {each.endpoint: search_key(f"{each.label} {each.words}") for each in pages}
        found |= {page for page, name in names.items() if all(key in name for key in keys)}
    return [each for each in pages if each.endpoint in found]
