"""Beginning and cancelling an import."""

from typing import Any

from app.actor import Actor, Role
from app.auth.queries import load_person, remembered_codec
from app.cities.importing.cleaning import delete_import
from app.cities.importing.models import MOST_WAITING, WAITING, CityImport, ImportState
from app.cities.importing.queries import count_unconfirmed, load_import
from app.cities.importing.reading.choices import Reading, check_reading
from app.cities.importing.reading.samples import without_columns
from app.cities.importing.reading.sniff import is_workbook
from app.cities.importing.reading.tables import WORKBOOK_BYTES
from app.cities.importing.storage import (
    ImportFile,
    SentFile,
    path_of_import,
    remove_file,
    stored,
)
from app.cities.models import TEXT_LENGTH
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import permitted, service
from app.errors import Conflict, Invalid, NotFound
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.jobs.services import end_job, insert_job
from app.jobs.waiting import JobEnd, wait_for_job
from app.redis.ids import next_id
from app.text import N_, Bytes
from app.textfiles.records import refused

STAGE = "cities.stage"  # the kind of the job
WAIT_SECONDS = 2.0  # for a job: that of a small file is done by then


class TooManyWaiting(Conflict):
    """The person has as many unconfirmed imports as one may have."""


@permitted(Role.EDITOR)
def send_file(actor: Actor, file_name: str, file: SentFile) -> int:
    """Begin an import and wait for it a moment. Invalid if the file could not be read: then nothing
    of it is stored."""
    import_id = begin_import(actor, file_name, file)
    try:
        wait_for_staging(actor, import_id)
    except Invalid:
        cancel_import(actor, import_id)
        raise
    return import_id


@permitted(Role.EDITOR)
def begin_import(actor: Actor, file_name: str, file: SentFile) -> int:
    """Store a file, and have a job read it and stage its lines; returns the import's id. Invalid if
    the file is of another kind, NoSpace while the disk is nearly full: then nothing is stored."""
    if file.problem is not None:
        raise file.problem
    if is_workbook(file.path) and file.size > WORKBOOK_BYTES:
        raise refused(
            N_(
                "An Excel workbook can have at most %(size)s. Save it as CSV.",
                size=Bytes(WORKBOOK_BYTES),
            )
        )
    codec, job_id = remembered_codec(actor), next_id()
    with stored(file) as kept:
        return insert_import(actor, display_name(file_name), kept, job_id, codec)


@permitted(Role.EDITOR)
def read_again(actor: Actor, import_id: int, reading: Reading) -> None:
    """Have a job read the file of an import as its person chose, and stage its lines. Invalid if it
    cannot be read: then the import stays as it was."""
    path = path_of_import(load_import(actor, import_id, unfinished=True))
    check_reading(reading, is_workbook(path))
    begin_again(actor, import_id, without_columns(path, reading), next_id())
    wait_for_staging(actor, import_id)


@permitted(Role.EDITOR)
def wait_for_staging(actor: Actor, import_id: int) -> JobEnd:
    """Wait a moment for the job of an import. Invalid if it could not read the file."""
    found = load_import(actor, import_id, unfinished=True)
    state, end = found.state, wait_for_job(found.job_id, WAIT_SECONDS)
    if state == ImportState.STAGING and end.failure:
        raise Invalid(fields={"file": end.failure})
    return end


@service(Role.EDITOR)
def insert_import(
    actor: Actor, file_name: str, file: ImportFile, job_id: int, codec: str = ""
) -> int:
    """Insert an import and the job that stages its lines. A person who has the most unconfirmed
    ones gets TooManyWaiting; the locked row of the person makes two files at once wait for each
    other."""
    if actor.id is not None:
        load_person(actor.id, lock=True)
        check_waiting(actor)
    row = CityImport(
        person_id=actor.id,
        file_name=file_name,
        stored_name=file.name,
        size=file.size,
        sha256=file.sha256,
        ignored="",
    )
    db.session.add(row)
    db.session.flush()
    change = Change(row.id, after={"file_name": file_name})
    record(actor, "import.begin", change, batch_id=str(row.id), visible_to=ADMINISTRATORS)
    start_staging(actor, row, job_id, codec=codec)
    return row.id


def check_waiting(actor: Actor) -> None:
    if sum(count_unconfirmed(actor)) >= MOST_WAITING:
        raise TooManyWaiting(
            N_(
                "You have %(most)s imports that are not confirmed yet. "
                "Confirm or cancel one of them, then choose the file again.",
                most=MOST_WAITING,
            )
        )


@service(Role.EDITOR)
def begin_again(actor: Actor, import_id: int, reading: Reading | None, job_id: int) -> None:
    """Start a job that reads the file of an import in another way, and remember its encoding."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if found.state not in WAITING:
        raise NotFound()
    end_job(found.job_id)
    start_staging(actor, found, job_id, reading)
    if reading is not None and reading.codec and actor.id is not None:
        load_person(actor.id, lock=True).file_codec = reading.codec


def start_staging(
    actor: Actor, found: CityImport, job_id: int, reading: Reading | None = None, codec: str = ""
) -> None:
    """Insert the job that makes the next preview of an import, within a running service."""
    args: dict[str, Any] = {
        "import_id": found.id,
        "preview": found.preview + 1,
        "reading": reading and reading._asdict(),
        "codec": codec,
    }
    found.job_id, found.state = job_id, ImportState.STAGING
    insert_job(actor, job_id, STAGE, args, ("import", found.id))


def display_name(file_name: str) -> str:
    """A file's name for people to read: without folders and control characters."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[:TEXT_LENGTH] or "cities.csv"


@permitted(Role.EDITOR)
def cancel_import(actor: Actor, import_id: int) -> None:
    """Delete what was staged, of a large file as far as that takes a second; the clock deletes the
    rest. A confirmed import stays as it is."""
    mark_cancelled(actor, import_id)
    with tolerated("a cancelled import was not deleted"):
        delete_import(import_id)


@service(Role.EDITOR)
def mark_cancelled(actor: Actor, import_id: int) -> None:
    """From now on nobody sees the import."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if found.state in WAITING:
        change = Change(found.id, before={"file_name": found.file_name})
        batch_id = str(found.id)
        record(actor, "import.cancel", change, batch_id=batch_id, visible_to=ADMINISTRATORS)
        end_job(found.job_id)
        remove_file(found)
        found.state = ImportState.CANCELLED
