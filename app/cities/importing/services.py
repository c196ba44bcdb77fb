"""Beginning, confirming and cancelling an import."""

from app.actor import Actor, Role
from app.cities.importing import apply, staging
from app.cities.importing.queries import load_import
from app.cities.importing.reading.tables import read_table
from app.cities.importing.storage import SentFile, remove_file, stored
from app.cities.models import TEXT_LENGTH
from app.cities.search_keys import fill_keys
from app.database.engine import db
from app.database.service import permitted, service
from app.errors import Forbidden
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.text import N_


@permitted(Role.EDITOR)
def begin_import(actor: Actor, file_name: str, file: SentFile) -> int:
    """Read a file, store it and stage its lines; returns the import's id. Invalid if the file
    cannot be read, NoSpace while the disk is nearly full: then nothing is stored. Forbidden for the
    operator: an import belongs to a person."""
    if actor.id is None:
        raise Forbidden(N_("An import belongs to a person: sign in to import a file."))
    if file.problem is not None:
        raise file.problem
    table = read_table(file.path)
    with stored(file) as kept:
        import_id = staging.insert_import(actor, display_name(file_name), table, kept)
    staging.stage_lines(actor, import_id, table.lines)
    staging.raise_preview(actor, import_id, table.fields)
    return import_id


def display_name(file_name: str) -> str:
    """A file's name for people to read: without folders and control characters."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[:TEXT_LENGTH] or "cities.csv"


@permitted(Role.EDITOR)
def confirm_import(actor: Actor, import_id: int, preview: int) -> apply.Outcome:
    """Apply the preview of this number; confirmed again, it only says what was done. If the
    register has changed since, the preview is made again and OutdatedPreview is raised."""
    fill_keys()  # by them names are compared again
    try:
        return apply_import(actor, import_id, preview)
    except apply.OutdatedPreview:
        staging.renew_preview(actor, import_id)
        raise


@service(Role.EDITOR)
def apply_import(actor: Actor, import_id: int, preview: int) -> apply.Outcome:
    """Apply the accepted lines, all or none."""
    found = load_import(actor, import_id, lock=True)
    if found.applied_at is None:
        apply.apply_lines(actor, found, preview)
    return apply.Outcome(found.added, found.changed)


@service(Role.EDITOR)
def cancel_import(actor: Actor, import_id: int) -> None:
    """Delete what was staged. A confirmed import stays as it is."""
    found = load_import(actor, import_id, lock=True)
    if found.applied_at is None:
        change = Change(found.id, before={"file_name": found.file_name})
        batch_id = str(found.id)
        record(actor, "import.cancel", change, batch_id=batch_id, visible_to=ADMINISTRATORS)
        remove_file(found)
        db.session.delete(found)
