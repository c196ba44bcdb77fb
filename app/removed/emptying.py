"""Emptying a list of removed things, however long it is: one row says until when it was emptied,
and the clock deletes what was removed before."""

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects import mysql, sqlite

from app.database.engine import db
from app.errors import Conflict
from app.removed.models import Emptied
from app.removed.period import NEVER, restorable_since
from app.text import N_
from app.times import now

NOTHING_LEFT = N_("Nothing is left to delete: all of it was restored or deleted in the meantime.")


def empty_until(
    kind: str, until: datetime, count: Callable[[datetime, datetime], int]
) -> tuple[datetime, int]:
    """Empty the list of a kind, within a running service: from now on nothing that was removed up
    to this moment can be restored. Returns the moment, which is not in the future, and how many
    things that are: `count` counts those removed after one moment and up to another. Conflict if
    there are none. The row is locked first, so that two who empty it at once count nothing
    twice."""
    lock(kind)
    until = min(until, now())
    found = count(restorable_since(kind), until)
    if not found:
        raise Conflict(NOTHING_LEFT)
    db.session.execute(update(Emptied).where(Emptied.kind == kind).values(until_at=until))
    return until, found


def repeat_for(seconds: float, delete_batch: Callable[[], int], most: int) -> int:
    """Delete batch after batch, for some seconds at most, until one has fewer than `most` things;
    returns how many they were."""
    deadline, total = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        count = delete_batch()
        total += count
        if count < most:
            break
    return total


def lock(kind: str) -> None:
    """Lock the row of a kind until the service ends; add it if it does not exist."""
    values = {"kind": kind, "until_at": NEVER}
    if db.engine.dialect.name == "mysql":
        added = mysql.insert(Emptied).values(values)
        db.session.execute(added.on_duplicate_key_update(kind=kind))
    else:  # others do not write in the meantime
        db.session.execute(sqlite.insert(Emptied).values(values).on_conflict_do_nothing())
