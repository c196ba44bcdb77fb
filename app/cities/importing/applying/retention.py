"""Deleting the lines of imports that are too old to be undone."""

from sqlalchemy import exists, select

from app.cities.importing.cleaning import PIECE, delete_lines
from app.cities.importing.models import CityImport, ImportLine
from app.database.engine import db
from app.database.service import unrecorded
from app.removed.emptying import repeat_for
from app.removed.period import oldest_restorable

SECONDS = 2.0  # of one look


def delete_old_lines() -> int:
    """Delete lines of imports that were applied REMOVED_DAYS ago, for some seconds; returns how
    many."""
    return repeat_for(SECONDS, delete_batch, PIECE)


@unrecorded
def delete_batch() -> int:
    """Delete some lines of the first of them; returns how many."""
    has_lines = exists().where(ImportLine.import_id == CityImport.id)
    old = select(CityImport.id).where(CityImport.applied_at <= oldest_restorable(), has_lines)
    import_id = db.session.scalar(old.limit(1))
    return 0 if import_id is None else delete_lines(import_id)
