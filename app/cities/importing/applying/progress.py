"""How far the job of an import is, and the history's entry that says so."""

from typing import Any, NamedTuple

from app.actor import Actor, Role
from app.cities.importing.applying.conditions import check_lines, is_active
from app.cities.importing.applying.notes import applied_counts, undone_counts
from app.cities.importing.models import CityImport, ImportState
from app.cities.importing.queries import load_import
from app.database.service import service
from app.errors import Conflict
from app.history.services import Change, record, update_entry
from app.jobs.run import Run
from app.text import N_
from app.times import now

TAKEN_OVER = N_("Another job works on this import.")
NOT_ANY_MORE = N_("This import is in another state by now.")
# The state of an import once its job has ended, by that which it has until then.
ENDS = {
    ImportState.APPLYING: ImportState.APPLIED,
    ImportState.UNDOING: ImportState.UNDONE,
}


class ImportProgress(NamedTuple):
    """How many lines are done of how many, and the last of them."""

    done: int
    total: int
    line: int


def applying_progress(found: CityImport) -> ImportProgress:
    done = found.added + found.changed + found.skipped
    return ImportProgress(done, found.lines_new + found.lines_changed, found.applied_line)


def undoing_progress(found: CityImport) -> ImportProgress:
    """The last lines are applied first, so the first to be undone is the last that was applied."""
    done = found.removed + found.reverted + found.kept
    line = found.undone_line or found.applied_line - 1
    return ImportProgress(done, found.added + found.changed, line)


PROGRESS = {
    ImportState.APPLYING: applying_progress,
    ImportState.UNDOING: undoing_progress,
}


@service(Role.EDITOR)
def take_import(actor: Actor, run: Run, state: ImportState) -> ImportProgress | None:
    """Have a job begin, or go on, with its import; None if there is nothing left to do. Conflict if
    another one works on it, or if something else was decided in the meantime."""
    found = load_import(actor, run.args["import_id"], lock=True)
    if found.state == ENDS[state]:
        return None
    if found.state != state:
        raise Conflict(NOT_ANY_MORE)
    if found.job_id != run.id:  # this one was started again from the page of jobs
        if is_active(found.job_id):
            raise Conflict(TAKEN_OVER)
        check_lines(found)
        found.job_id = run.id
    run.guard()
    return PROGRESS[state](found)


def lock_taken(actor: Actor, run: Run, state: ImportState) -> CityImport:
    """The import of a job, locked until the running service ends."""
    found = load_import(actor, run.args["import_id"], lock=True)
    if (found.job_id, found.state) != (run.id, state):
        raise Conflict(TAKEN_OVER)
    return found


def note_applied(actor: Actor, found: CityImport) -> None:
    """Have the history say what was applied so far."""
    note(actor, found, "import.apply", found.applied_at is None, applied_counts(found))
    found.applied_at = found.applied_at or now()


def note_undone(actor: Actor, found: CityImport, is_first: bool) -> None:
    """Have the history say what was undone so far."""
    note(actor, found, "import.undo", is_first, undone_counts(found))


def note(
    actor: Actor, found: CityImport, action: str, is_first: bool, counts: dict[str, int]
) -> None:
    fields: dict[str, Any] = {"file_name": found.file_name, **counts}
    if is_first:
        record(actor, action, Change(found.id, None, fields), batch_id=str(found.id))
    else:
        update_entry(action, found.id, fields)
