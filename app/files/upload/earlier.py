"""Making an earlier version of a file the current one: a copy of it becomes the newest version, so
that nothing is lost and the history says what happened."""

from sqlalchemy import select

from app.actor import Actor, Role
from app.current import settings
from app.database import failures
from app.database.engine import db, release_connection
from app.database.service import permitted, service
from app.errors import Conflict
from app.files import cache, queries
from app.files.folders.rows import lock_folder_of
from app.files.models import File
from app.files.rules import check_may_change
from app.files.services import recorded
from app.files.storage.folder import find_stored, link_stored, refusal_of, remove_stored
from app.files.upload.versions import Versions
from app.history.services import Change, record
from app.text import N_

COPIED = ("owner_id", "folder", "name", "extension", "size", "sha256", "content_type", "flaw")


@permitted(Role.VIEWER)
def make_current(actor: Actor, file_id: int) -> tuple[int, int]:
    """Make a copy of this version the newest one; returns its id and number. Conflict if the
    current version has the same content."""
    file = queries.present_file(file_id)
    check_may_change(actor, file)
    folder, owner_id, stored_name = settings().files_dir, file.owner_id, file.stored_name
    release_connection()
    find_stored(folder, stored_name)
    try:
        name = link_stored(folder, stored_name)
    except OSError as error:
        raise refusal_of(error) from error
    try:
        return insert_copy(actor, file_id, owner_id, name)
    except Exception as error:
        if not isinstance(error, failures.DATABASE_ERRORS) or failures.left_nothing(error):
            remove_stored(folder, name)
        raise


@service(Role.VIEWER)
def insert_copy(actor: Actor, file_id: int, owner_id: int, stored_name: str) -> tuple[int, int]:
    """Insert the row of a copy."""
    queries.lock_owners([owner_id])
    file = queries.present_file(file_id)
    check_may_change(actor, file)
    lock_folder_of(file, actor.id)
    query = select(File).where(
        *queries.versions_of(file), File.replaced_at.is_(None), File.removed_at.is_(None)
    )
    current = db.session.scalars(query.execution_options(populate_existing=True)).first()
    if current is None:
        raise queries.no_such_file()
    if current.sha256 == file.sha256:
        raise Conflict(N_("The current version has the same content."))
    copied = {name: getattr(file, name) for name in COPIED}
    row = File(**copied, stored_name=stored_name, sent_name=current.sent_name)
    Versions(owner_id).insert([row])
    record(actor, "file.revert", Change(row.id, after=recorded(row), version=row.version))
    cache.invalidate_folders([row.folder])
    return row.id, row.version
