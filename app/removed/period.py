"""For how long removed things can be restored: REMOVED_DAYS, or until their list is emptied."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select

from app.current import settings
from app.database.engine import db
from app.database.types import UtcDateTime
from app.removed.models import Emptied
from app.times import now

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def restorable_since(kind: str) -> datetime:
    """What was removed after this moment can be restored; the rest is deleted permanently."""
    emptied = db.session.scalar(select(Emptied.until_at).where(Emptied.kind == kind))
    return max(oldest_restorable(), emptied or NEVER)


def is_restorable(kind: str, removed_at: Any) -> ColumnElement[bool]:
    """The same as a condition, for lists: the column is compared with a constant too, because that
    is what an index is read by."""
    emptied = select(Emptied.until_at).where(Emptied.kind == kind).scalar_subquery()
    until = func.coalesce(emptied, literal(NEVER, UtcDateTime))
    return and_(removed_at > oldest_restorable(), removed_at > until)


def oldest_restorable() -> datetime:
    return now() - timedelta(days=settings().removed_days)
