"""Deleting the lines of imports that are too old to be undone."""

from sqlalchemy import select

from app.cities.importing.applying.conditions import (
    has_active_job,
    has_lines,
    is_active,
    is_too_old,
)
from app.cities.importing.cleaning import delete_lines
from app.cities.importing.models import CityImport
from app.database.engine import db
from app.database.service import unrecorded
from app.removed.emptying import repeat_for

SECONDS = 2.0  # of one look


def delete_old_lines() -> int:
    """Delete lines of imports that were applied REMOVED_DAYS ago, for some seconds; returns how
    many. An import that a job works on keeps its lines until that has ended."""
    return repeat_for(SECONDS, delete_batch, most=1)


def delete_batch() -> int:
    """Delete some lines of the first of them; returns how many."""
    old = select(CityImport.id).where(is_too_old(), has_lines(), ~has_active_job())
    import_id = db.session.scalar(old.limit(1))
    return 0 if import_id is None else delete_piece(import_id)


@unrecorded
def delete_piece(import_id: int) -> int:
    """Delete some lines, unless a job has begun with the import in the meantime."""
    found = db.session.get_one(CityImport, import_id, with_for_update=True)
    return 0 if is_active(found.job_id) else delete_lines(import_id)
