"""Emptying the list of removed files."""

from datetime import datetime

from app.actor import Actor, Role
from app.database.service import after_commit, service
from app.files import cache
from app.files.removed.queries import count_between
from app.files.rules import KIND
from app.files.services import ALL_FILES
from app.history.services import Change, record
from app.removed.emptying import empty_until


@service(Role.ADMIN, by_token=False)
def empty_removed(actor: Actor, until: datetime) -> int:
    """Make everything that was removed up to a moment unrestorable; returns how many files that
    are. The clock deletes them."""
    until, count = empty_until(KIND, until, count_between)
    fields = {"removed_files": count, "removed_until": until.isoformat()}
    record(actor, "file.empty", Change(ALL_FILES, after=fields))
    after_commit(cache.invalidate)
    return count
