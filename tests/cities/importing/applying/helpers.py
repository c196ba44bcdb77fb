"""Imports that are applied, stopped and undone."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.actor import Actor
from app.cities.importing import queries
from app.cities.importing.applying import services, tasks
from app.cities.importing.applying.parts import Part
from app.cities.importing.models import ImportLine
from app.database.engine import db
from app.jobs.run import Run
from app.jobs.services import cancel_job
from tests.cities.importing.staging import editor, perform


def begin(import_id: int, person: int) -> int | None:
    """Confirm the preview as it is now; returns the id of the job, which waits."""
    preview = queries.load_import(editor(person), import_id).preview
    return services.confirm_import(editor(person), import_id, preview)


def undo(import_id: int, person: int) -> None:
    """Undo an import, and do the job."""
    services.undo_import(editor(person), import_id)
    perform()


def became(import_id: int) -> dict[int, str | None]:
    """What became of each line, by its number."""
    db.session.rollback()
    query = select(ImportLine.line, ImportLine.outcome).where(ImportLine.import_id == import_id)
    return dict(db.session.execute(query.order_by(ImportLine.line)).all())


def stop_after(patch: pytest.MonkeyPatch, name: str, parts: int) -> None:
    """Have a job cancelled once it has done so many parts with this function of tasks.py."""
    function: Callable[[Actor, Run, Part], Any] = getattr(tasks, name)
    done = []

    def do_and_count(actor: Actor, run: Run, part: Part) -> Any:
        found = function(actor, run, part)
        done.append(part)
        if len(done) == parts:
            cancel_job(actor, run.id)
        return found

    patch.setattr(tasks, name, do_and_count)
