"""What the page of a confirmed import shows, and the rows of the list of imports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from app.actor import Actor
from app.cities.importing.applying import queries
from app.cities.importing.applying.notes import note_of
from app.cities.importing.models import CityImport, ImportState, LineKind, LineOutcome
from app.cities.importing.queries import LineListing, select_lines
from app.database.cursor import FIRST
from app.history.entries import COMMAND_LINE, person_names
from app.jobs.queries import find_job
from app.jobs.rows import show_job
from app.jobs.waiting import read_end
from app.text import Message

SHOWN = 20  # lines of each part on the page itself; the rest is one link away
STATES: Mapping[str, Any] = {
    ImportState.STORED: _l("Not read yet"), ImportState.STAGING: _l("Being compared"),
    ImportState.STAGED: _l("Not confirmed yet"), ImportState.APPLYING: _l("Being imported"),
    ImportState.APPLIED: _l("Imported"), ImportState.UNDOING: _l("Being undone"),
    ImportState.UNDONE: _l("Undone"),
}  # fmt: skip
STOPPED: Mapping[str, Any] = {
    ImportState.APPLYING: _l("Stopped"),
    ImportState.UNDOING: _l("Undoing stopped"),
}


@dataclass(frozen=True)
class ImportRow:
    """One import. `is_active` is true while somebody works on it."""

    found: CityImport
    who: str
    is_active: bool
    is_undoable: bool

    @property
    def state(self) -> str:
        found = STATES if self.is_active else {**STATES, **STOPPED}
        return str(found.get(self.found.state, self.found.state))

    @property
    def note(self) -> str:
        """What it has done, in words."""
        return note_of(self.found)

    @property
    def is_stopped(self) -> bool:
        return self.found.state in STOPPED and not self.is_active

    @property
    def done(self) -> int:
        """How many lines are applied or skipped."""
        return self.found.added + self.found.changed + self.found.skipped

    @property
    def total(self) -> int:
        return self.found.lines_new + self.found.lines_changed


@dataclass(frozen=True)
class ResultPage:
    """A confirmed import, and the first of its lines that were not done or refused. `failure` is
    what its last job failed with; `why_not` says why the import cannot be undone."""

    row: ImportRow
    failure: str
    parts: dict[str, Any]
    counts: dict[str, int]
    why_not: Message | None
    undoable_until: datetime | None


def show_result(found: CityImport) -> dict[str, Any]:
    """What the page of an import shows that load_import() gave to the caller."""
    job, why_not = find_job(found.job_id), queries.why_not_undoable(found)
    is_active = job is not None and job.is_active
    row = ImportRow(found, owner_of(found, names_of([found])), is_active, why_not is None)
    counts: dict[str, int] = {
        LineOutcome.SKIPPED: found.skipped,
        LineOutcome.KEPT: found.kept,
        LineKind.REFUSED: found.lines_refused,
    }
    parts: dict[str, Any] = {
        part: select_lines(found, LineListing(kind=part), FIRST, SHOWN, count)
        for part, count in counts.items()
        if count and not is_active
    }
    until = queries.undoable_until(found)
    page = ResultPage(row, read_end(found.job_id).failure, parts, counts, why_not, until)
    return {"page": page, **show_job(job)}


def describe_imports(actor: Actor, imports: Sequence[CityImport]) -> list[ImportRow]:
    """The rows of a list."""
    names, active = names_of(imports), queries.active_jobs(imports)
    undoable = queries.undoable_ids(actor, [found.id for found in imports])
    return [
        ImportRow(found, owner_of(found, names), found.job_id in active, found.id in undoable)
        for found in imports
    ]


def names_of(imports: Sequence[CityImport]) -> dict[int, str]:
    return person_names(found.person_id for found in imports if found.person_id is not None)


def owner_of(found: CityImport, names: dict[int, str]) -> str:
    """Whose import it is."""
    return str(COMMAND_LINE) if found.person_id is None else names[found.person_id]
