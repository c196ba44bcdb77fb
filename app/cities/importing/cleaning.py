"""Deleting imports and their lines piece by piece, each in a short transaction: an import may have
a million lines."""

from functools import partial
from typing import Any

from sqlalchemy import delete, func, not_, select

from app.cities.importing.models import CityImport, ImportLine
from app.cities.importing.queries import is_current
from app.cities.importing.storage import remove_file
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import unrecorded
from app.removed.emptying import repeat_for

PIECE = 1000  # lines; deleting them takes 10 to 50 ms
# How many imports are deleted at one look, and for how long each.
AT_ONCE, SECONDS = 5, 1.0


def delete_ended() -> int:
    """Delete the oldest imports that were cancelled, or not confirmed within a day; returns how
    many are gone. Of a large one the rest is left to the next time, and so is one that is
    locked."""
    count = 0
    oldest = select(CityImport.id).where(not_(is_current())).order_by(CityImport.created_at)
    for import_id in db.session.scalars(oldest.limit(AT_ONCE)).all():
        with tolerated("an expired import was not deleted"):
            count += delete_import(import_id)
    return count


def delete_import(import_id: int) -> bool:
    """Delete an import that has ended, as far as that takes a second; True if all of it is gone."""
    repeat_for(SECONDS, partial(delete_piece, import_id), PIECE)
    return delete_row(import_id)


@unrecorded
def delete_piece(import_id: int) -> int:
    """Delete some lines; returns how many."""
    return delete_lines(import_id) if lock_ended(import_id) else 0


@unrecorded
def delete_row(import_id: int) -> bool:
    """Delete an import and its file, unless there are lines left."""
    found = lock_ended(import_id)
    left = select(ImportLine.line).where(ImportLine.import_id == import_id).limit(1)
    if found is None or db.session.scalar(left) is not None:
        return False
    remove_file(found)
    db.session.delete(found)
    return True


def lock_ended(import_id: int) -> CityImport | None:
    ended = (CityImport.id == import_id, not_(is_current()))
    found: CityImport | None = db.session.scalar(select(CityImport).where(*ended).with_for_update())
    return found


def delete_lines(import_id: int, after: int = 0) -> int:
    """Delete the next lines after one, within a running transaction; returns how many."""
    behind = (ImportLine.import_id == import_id, ImportLine.line > after)
    some = select(ImportLine.line).where(*behind).order_by(ImportLine.line).limit(PIECE)
    last = db.session.scalar(select(func.max(some.subquery().c.line)))
    if last is None:
        return 0
    done: Any = db.session.execute(delete(ImportLine).where(*behind, ImportLine.line <= last))
    count: int = done.rowcount
    return count
