"""The folder IMPORT_DIR: a file that an operator or another program puts there is imported once
nobody writes to it any more.

It moves to `working` before its import begins, so that a file that cannot be moved is not imported
again and again, gets the number of the import there, and moves to `done` or `refused` when that has
ended, with a text beside it that says what came of it. If it is not certain how it
is read, or lines are refused, it waits in `working` for an administrator.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.actor import Actor, Role, Via
from app.cities.importing.applying.services import confirm_import
from app.cities.importing.models import ImportState
from app.cities.importing.queries import load_import
from app.cities.importing.services import begin_import, cancel_import
from app.cities.importing.storage import SentFile
from app.current import settings
from app.database.engine import release_connection
from app.errors import Invalid, NotFound, Text, TooLarge
from app.jobs.queries import find_job
from app.jobs.waiting import read_end
from app.text import N_
from app.times import now

log = logging.getLogger("gazetteer.imports")

OPERATOR = Actor(None, "operator", Role.ADMIN, Via.SCHEDULE)
WORKING, DONE, REFUSED = "working", "done", "refused"
TAKEN = "0-"  # in place of the number of the import
SETTLED_SECONDS = 30  # since anything of the file was changed
RUN_SECONDS = 5.0
BLOCK = 1 << 20
NAME_LENGTH = 75  # of which a character has up to three bytes
PARTIAL = (".part", ".filepart", ".tmp", ".crdownload")
ENDED = (ImportState.APPLIED, ImportState.UNDOING, ImportState.UNDONE)

GONE = N_("Nobody confirmed this import within a day, or it was cancelled.")
UNREADABLE = N_("This file cannot be read.")
APPLIED = N_("Cities added: %(added)s. Changed: %(changed)s. Lines that were skipped: %(skipped)s.")


def import_folder() -> int:
    """Go on with the files that were begun, and begin with new ones, for some seconds; returns how
    many were moved."""
    place = settings().import_dir
    assert place is not None  # noqa: S101 - for mypy: otherwise the schedule does not ship
    for name in (WORKING, DONE, REFUSED):
        (place / name).mkdir(parents=True, exist_ok=True)
    end, count = time.monotonic() + RUN_SECONDS, 0
    with locked(place) as is_ours:
        steps = [
            *steps_of(go_on, begun_files(place)),
            *steps_of(begin, taken_files(place)),
            *steps_of(take, new_files(place)),
        ]
        for step in steps if is_ours else []:
            count += step()
            if time.monotonic() > end:
                break
    return count


def steps_of(step: Callable[[Path], bool], paths: list[Path]) -> list[Callable[[], bool]]:
    return [partial(step, path) for path in paths]


@contextmanager
def locked(place: Path) -> Iterator[bool]:
    """Whether no other host has the folder; it does not get it within this block."""
    handle = os.open(place / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def taken_files(place: Path) -> list[Path]:
    """Files of which the import was not begun yet: the process was killed, or the disk is full."""
    return sorted((place / WORKING).glob(f"{TAKEN}*"))


def begun_files(place: Path) -> list[Path]:
    return sorted(path for path in (place / WORKING).iterdir() if number_of(path))


def number_of(path: Path) -> int:
    """The number of the import of a file that was begun; 0 for a file that somebody else put
    there."""
    number, dash, _name = path.name.partition("-")
    return int(number) if dash and number.isascii() and number.isdigit() else 0


def new_files(place: Path) -> list[Path]:
    """The files that nobody has touched for a while. The time of the last change of the row of the
    file system cannot be set, as the others can."""
    with os.scandir(place) as entries:
        return sorted(Path(each) for each in entries if is_new(each))


def is_new(entry: "os.DirEntry[str]") -> bool:
    if entry.name.startswith(".") or entry.name.lower().endswith(PARTIAL):
        return False
    # Links could lead anywhere.
    is_file = entry.is_file(follow_symlinks=False)
    changed_at = entry.stat(follow_symlinks=False).st_ctime
    return is_file and abs(time.time() - changed_at) >= SETTLED_SECONDS


def take(path: Path) -> bool:
    """Move a new file to `working` and begin its import; True if it was moved. One of a name that
    is there waits for that one."""
    taken = path.parent / WORKING / f"{TAKEN}{path.name[-NAME_LENGTH:]}"
    if taken.exists():
        return False
    try:
        path.rename(taken)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s cannot be moved, so it is not imported: %s", path, error.strerror)
        return False
    begin(taken)
    return True


def begin(taken: Path) -> bool:
    """Begin the import of a file; True if it was moved. NoSpace leaves it where it is."""
    name = taken.name.removeprefix(TAKEN)
    try:
        import_id = send(taken, name)
    except (Invalid, TooLarge) as error:
        return end(taken, REFUSED, f"{now():%Y%m%d-%H%M%S}-{name}", error.message)
    except OSError as error:
        log.warning("%s cannot be read: %s", taken, error.strerror)
        return end(taken, REFUSED, f"{now():%Y%m%d-%H%M%S}-{name}", UNREADABLE)
    taken.rename(taken.parent / f"{import_id}-{name}")
    log.info("import %s of the file %s has begun", import_id, name)
    return True


def send(path: Path, name: str) -> int:
    """Copy a file into the storage folder, and begin an import of the operator; returns its id."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source:
        file = SentFile(os.fstat(source.fileno()).st_size)
        try:
            while block := source.read(BLOCK):
                file.write(block)
            file.seek(0)
            return begin_import(OPERATOR, name, file)
        finally:
            file.close()


def go_on(path: Path) -> bool:
    """Confirm or end the import of a file that was begun; True if the file was moved."""
    import_id = number_of(path)
    try:
        found = load_import(OPERATOR, import_id, unfinished=True)
    except NotFound:
        return end(path, REFUSED, path.name, GONE)
    job, state, preview = find_job(found.job_id), found.state, found.preview
    # What an administrator has chosen or confirmed is theirs.
    is_ours = job is not None and job.via == Via.SCHEDULE
    is_certain = is_ours and state == ImportState.STAGED and not found.lines_refused
    failure, is_active = read_end(found.job_id).failure, job is not None and job.is_active
    counts = {"added": found.added, "changed": found.changed, "skipped": found.skipped}
    release_connection()
    if state in ENDED:
        return end(path, DONE, path.name, N_(APPLIED.text, **counts))
    if is_ours and failure and state in (ImportState.STORED, ImportState.STAGING):
        cancel_import(OPERATOR, import_id)
        return end(path, REFUSED, path.name, failure)
    if is_certain and not is_active:
        confirm_import(OPERATOR, import_id, preview)
    return False


def end(path: Path, part: str, name: str, text: Text) -> bool:
    """Move a file out of the way, with what came of it beside it in the language of the site."""
    place = settings().import_dir
    assert place is not None  # noqa: S101 - for mypy
    (place / part / f"{name}.txt").write_text(f"{text}\n")
    path.rename(place / part / name)
    log.info("%s: %s: %s", path.name, part, text)
    return True
