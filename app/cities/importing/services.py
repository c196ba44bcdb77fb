"""Beginning and cancelling an import."""

from app.actor import Actor, Role
from app.auth.queries import load_person
from app.cities.importing import staging
from app.cities.importing.models import WAITING
from app.cities.importing.queries import load_import
from app.cities.importing.reading.choices import Reading, check_reading
from app.cities.importing.reading.samples import without_columns
from app.cities.importing.reading.sniff import is_workbook
from app.cities.importing.reading.tables import Table, read_table, suggest
from app.cities.importing.storage import SentFile, path_of_import, remove_file, stored
from app.cities.models import TEXT_LENGTH
from app.database.engine import db, release_connection
from app.database.service import permitted, service
from app.errors import Forbidden
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.text import N_


@permitted(Role.EDITOR)
def begin_import(actor: Actor, file_name: str, file: SentFile) -> int:
    """Read a file, store it and stage its lines; returns the import's id. If it is not certain how
    it is read, it is only stored: read_again() goes on. Invalid if the file cannot be read, NoSpace
    while the disk is nearly full: then nothing is stored. Forbidden for the operator: an import
    belongs to a person."""
    if actor.id is None:
        raise Forbidden(N_("An import belongs to a person: sign in to import a file."))
    if file.problem is not None:
        raise file.problem
    reading, is_certain = suggest(file.path, remembered_codec(actor))
    table = read_table(file.path, reading) if is_certain else None
    with stored(file) as kept:
        import_id = staging.insert_import(actor, display_name(file_name), table, kept)
    if table is not None:
        stage_table(actor, import_id, table, 0)
    return import_id


@permitted(Role.EDITOR)
def read_again(actor: Actor, import_id: int, reading: Reading) -> None:
    """Read the stored file of an import as its person chose, and stage its lines. Invalid if it
    cannot be read: then the import stays as it was."""
    path = path_of_import(load_import(actor, import_id, unfinished=True))
    check_reading(reading, is_workbook(path))
    reading = without_columns(path, reading)
    table = read_table(path, reading)
    preview = staging.begin_again(actor, import_id, reading, table)
    stage_table(actor, import_id, table, preview)


def stage_table(actor: Actor, import_id: int, table: Table, preview: int) -> None:
    """Stage the lines of a file that was read, and have the import count as staged."""
    staging.stage_lines(actor, import_id, table.lines, preview)
    staging.raise_preview(actor, import_id, preview, table.fields)


def remembered_codec(actor: Actor) -> str:
    """The codec of the encoding that the person chose the last time."""
    codec = load_person(actor.person_id).file_codec or ""
    release_connection()
    return codec


def display_name(file_name: str) -> str:
    """A file's name for people to read: without folders and control characters."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[:TEXT_LENGTH] or "cities.csv"


@service(Role.EDITOR)
def cancel_import(actor: Actor, import_id: int) -> None:
    """Delete what was staged. A confirmed import stays as it is."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if found.state in WAITING:
        change = Change(found.id, before={"file_name": found.file_name})
        batch_id = str(found.id)
        record(actor, "import.cancel", change, batch_id=batch_id, visible_to=ADMINISTRATORS)
        remove_file(found)
        db.session.delete(found)
