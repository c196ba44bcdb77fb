"""The start page of members and of visitors."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any

import flask_babel
from babel.numbers import format_compact_decimal
from flask import Blueprint, render_template
from flask_babel import gettext as _

from app.actor import Role
from app.auth.queries import is_unclaimed
from app.cities.statistics.queries import Statistics
from app.current import actor
from app.history.feed import FeedRow, describe_groups
from app.start.queries import read_overview
from app.times import now, start_of_day
from app.web.declarations import without_redis
from app.web.formatting import local
from app.web.listings import total_text
from app.web.permissions import role_required

bp = Blueprint("start", __name__)

BARS = 12  # provinces in the small chart


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
    zone = flask_babel.get_timezone()
    overview = read_overview(actor(), start_of_day(today, zone))
    return render_template(
        "start/overview.html",
        overview=overview,
        changed=total_text(overview.changed_today),
        users=format_compact_decimal(
            overview.figures.users, locale=flask_babel.get_locale(), fraction_digits=1
        ),
        bars=bars_of(overview.figures),
        days=by_day(describe_groups(actor(), overview.changes), today),
        today=format_day(today),
    )


def bars_of(figures: Statistics) -> list[tuple[str, float]]:
    """The largest provinces and the heights of their bars, in per cent."""
    return [
        (name, round(100 * max(0, users) / figures.longest, 1))
        for name, users, _cities in figures.provinces[:BARS]
    ]


def by_day(rows: list[FeedRow], today: date) -> list[tuple[str, list[FeedRow]]]:
    """The rows by the reader's days, each with its name."""
    names = {today: _("Today"), today - timedelta(days=1): _("Yesterday")}
    days = groupby(rows, lambda row: local(row.at).date())
    return [(names.get(day) or format_day(day), list(group)) for day, group in days]


def format_day(day: date) -> str:
    """With the day of the week."""
    return str(flask_babel.format_date(day, "full"))
