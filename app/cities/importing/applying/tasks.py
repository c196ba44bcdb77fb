"""The jobs that apply an import and undo it. Both are safe to begin again: each piece of lines
notes in its transaction how far the import is."""

import time
from collections.abc import Callable

from flask_babel import lazy_gettext as _l

from app.actor import Actor, Role
from app.cities.importing.applying import parts
from app.cities.importing.applying.apply import apply_part, finish_applying
from app.cities.importing.applying.parts import Part, fitting_lines, next_part
from app.cities.importing.applying.progress import ImportProgress, take_import
from app.cities.importing.applying.undo import finish_undoing, undo_part
from app.cities.importing.models import ImportState
from app.cities.search_keys import fill_keys
from app.errors import Invalid
from app.jobs.kinds import Args, JobKind
from app.jobs.run import Run
from app.text import N_


def apply(run: Run) -> None:
    """Apply all lines, the last ones first."""
    progress = take_import(run.actor, run, ImportState.APPLYING)
    if progress is None:
        return
    lines = None
    while part := next_part(run.args["import_id"], progress.line, lines, backwards=True):
        fill_keys()  # by them names are compared again
        progress, lines = timed(apply_part, run, part, lines)
    progress = finish_applying(run.actor, run)
    run.report(progress.done, progress.total)


def undo(run: Run) -> None:
    """Undo all lines that were applied."""
    progress = take_import(run.actor, run, ImportState.UNDOING)
    if progress is None:
        return
    lines = None
    while progress.line >= 0 and (part := next_part(run.args["import_id"], progress.line, lines)):
        progress, lines = timed(undo_part, run, part, lines)
    progress = finish_undoing(run.actor, run)
    run.report(progress.done, progress.total)


def timed(
    work: Callable[[Actor, Run, Part], ImportProgress], run: Run, part: Part, lines: int | None
) -> tuple[ImportProgress, int]:
    """Do a piece and report it; returns how far the import is, and how many lines the next piece
    has."""
    begun = time.monotonic()
    progress = work(run.actor, run, part)
    seconds = time.monotonic() - begun
    run.report(progress.done, progress.total)
    return progress, fitting_lines(lines or parts.LINES, seconds)


def check_import(args: Args) -> Args:
    """The number of an import; whose it is the job asks."""
    if not isinstance(args.get("import_id"), int):
        raise Invalid(N_("There is no such import."))
    return {"import_id": args["import_id"]}


APPLY = JobKind("cities.apply", _l("Import cities"), apply, Role.EDITOR, check=check_import)
UNDO = JobKind("cities.undo", _l("Undo an import"), undo, Role.EDITOR, check=check_import)
KINDS = (APPLY, UNDO)
