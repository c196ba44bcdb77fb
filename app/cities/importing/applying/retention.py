"""Deleting the lines of imports that are too old to be undone."""

from functools import partial

from sqlalchemy import delete, exists, select

from app.cities.importing.models import CityImport, ImportLine
from app.database.engine import db
from app.database.service import unrecorded
from app.removed.emptying import repeat_for
from app.removed.period import oldest_restorable

BATCH = 1000
SECONDS = 2.0  # of one look


def delete_old_lines() -> int:
    """Delete lines of imports that were applied REMOVED_DAYS ago, for some seconds; returns how
    many."""
    return repeat_for(SECONDS, partial(delete_batch, BATCH), BATCH)


@unrecorded
def delete_batch(most: int) -> int:
    """Delete some lines of the first of them; returns how many."""
    has_lines = exists().where(ImportLine.import_id == CityImport.id)
    old = select(CityImport.id).where(CityImport.applied_at <= oldest_restorable(), has_lines)
    import_id = db.session.scalar(old.limit(1))
    of_import = ImportLine.import_id == import_id
    lines = select(ImportLine.line).where(of_import).order_by(ImportLine.line).limit(most)
    numbers = db.session.scalars(lines).all() if import_id is not None else []
    if numbers:
        old_lines = delete(ImportLine).where(of_import, ImportLine.line <= numbers[-1])
        db.session.execute(old_lines.execution_options(synchronize_session=False))
    return len(numbers)
