"""Confirming the preview of an import, and having an import undone: each starts a job."""

from app.actor import Actor, Role
from app.cities.importing.applying.conditions import check_lines, is_active
from app.cities.importing.applying.queries import why_not_undoable
from app.cities.importing.applying.tasks import APPLY, UNDO
from app.cities.importing.models import CityImport, ImportState
from app.cities.importing.queries import load_import
from app.cities.importing.storage import remove_file
from app.database.service import permitted, service
from app.errors import Conflict
from app.history.models import HistoryEntry
from app.history.queries import CANNOT
from app.jobs.kinds import JobKind
from app.jobs.services import end_job, insert_job
from app.redis.ids import next_id
from app.text import N_, Message


class OutdatedPreview(Conflict):
    """The preview was made again, and the one that was looked at does not count any more."""

    text = N_(
        "The file was read again since this preview was shown, so nothing was imported. "
        "This is the new preview: check it and confirm again."
    )


@permitted(Role.EDITOR)
def confirm_import(actor: Actor, import_id: int, preview: int) -> int | None:
    """Have the accepted lines of the preview with this number applied, or the rest of them if that
    was stopped; returns the id of the job. Confirmed again, it does nothing more."""
    return begin_applying(actor, next_id(), import_id, preview)


@service(Role.EDITOR)
def begin_applying(actor: Actor, job_id: int, import_id: int, preview: int) -> int | None:
    found = load_import(actor, import_id, lock=True)
    is_begun = found.state == ImportState.APPLYING and is_active(found.job_id)
    if found.state not in (ImportState.STAGED, ImportState.APPLYING) or is_begun:
        return found.job_id
    if found.preview != preview:
        raise OutdatedPreview()
    if found.state == ImportState.APPLYING:
        check_lines(found)
    found.state = ImportState.APPLYING
    remove_file(found)  # it cannot be read in another way any more
    return start(actor, job_id, found, APPLY)


@permitted(Role.EDITOR)
def undo_import(actor: Actor, import_id: int) -> int | None:
    """Have everything undone that an import has done so far, or the rest of it if that was stopped;
    returns the id of the job. Asked again, it does nothing more. Conflict if it cannot be."""
    return begin_undoing(actor, next_id(), import_id)


@service(Role.EDITOR)
def begin_undoing(actor: Actor, job_id: int, import_id: int) -> int | None:
    found = load_import(actor, import_id, lock=True)
    is_begun = found.state == ImportState.UNDOING and is_active(found.job_id)
    if is_begun or found.state == ImportState.UNDONE:
        return found.job_id
    if reason := why_not_undoable(found):
        raise Conflict(reason)
    found.state = ImportState.UNDOING
    return start(actor, job_id, found, UNDO)


def start(actor: Actor, job_id: int, found: CityImport, kind: JobKind) -> int:
    """Start a job for a locked import, within a running service."""
    about = ("import", found.id)
    found.job_id = insert_job(actor, job_id, kind.name, {"import_id": found.id}, about)
    return job_id


@service(Role.EDITOR)
def stop_import(actor: Actor, import_id: int) -> int | None:
    """Stop the job of an import, whoever has started it: what it has done so far stays. Returns the
    id of the job."""
    found = load_import(actor, import_id, lock=True)
    end_job(found.job_id)
    return found.job_id


@permitted(Role.EDITOR)
def undo_entry(actor: Actor, entry: HistoryEntry) -> Message:
    """Undo the import that an entry of the history is about."""
    if entry.action != "import.apply":
        raise Conflict(CANNOT)
    if reason := why_not_undoable(load_import(actor, entry.subject_id)):
        raise Conflict(reason)
    undo_import(actor, entry.subject_id)
    return N_("The import is being undone. Its page shows how far that is.")
