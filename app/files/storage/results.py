"""Files that jobs make. They are in the Files of the job's person for RESULT_DAYS, unless somebody
moves them."""

import sys
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from flask_babel import force_locale, pgettext
from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.models import Person
from app.auth.queries import check_still_permitted, first_administrator, load_person
from app.current import settings
from app.database import failures
from app.database.engine import db, release_connection
from app.database.service import service
from app.disk import has_space
from app.errors import Conflict, NoSpace, NotFound
from app.files import cache, queries
from app.files.folders.checks import check_not_taken
from app.files.folders.rows import ensure_folders
from app.files.models import File
from app.files.names import CleanPath, clean_path
from app.files.services import recorded
from app.files.storage.content import content_type
from app.files.storage.folder import Incoming, refusal_of, remove_stored, store_together
from app.files.upload.services import TOO_MANY, columns_of
from app.files.upload.versions import Versions
from app.history.services import Change, record
from app.jobs.models import RESULT_DAYS, Job
from app.jobs.run import Run
from app.text import N_
from app.times import now

SPACE_BYTES = 8 << 20  # between two looks at the disk
NOBODY = N_("There is no administrator to whose files this could be added.")


def store_result(run: Run, name: str, blocks: Iterable[bytes]) -> None:
    """Store the result of a job as a file of its person, or of the first administrator for the
    operator. Once, however often the job is begun: then nothing is read. `blocks` report how far
    the job is. Conflict if a file has the path of the folder of results."""
    if db.session.scalar(select(Job.file_id).where(Job.id == run.id)):
        return
    owner = find_owner(run.actor)
    owner_id, path = owner.id, clean_path(name, into=folder_of(owner))
    check_not_taken([path.path])
    release_connection()
    incoming = Incoming(settings().files_dir, sys.maxsize)
    try:
        receive(incoming, blocks)
        columns = result_columns(path, incoming, owner_id, run.id)
        store_file(run, incoming, columns)
    finally:
        incoming.discard()


def find_owner(actor: Actor) -> Person:
    """To whom the files of an actor belong."""
    if actor.id is not None:
        return load_person(actor.id)
    person = first_administrator()
    if person is None:
        raise NotFound(NOBODY)
    return person


def folder_of(owner: Person) -> str:
    """The folder of results, in the owner's language."""
    with force_locale(owner.language) if owner.language else nullcontext():
        return str(pgettext("folder", "Results"))


def receive(incoming: Incoming, blocks: Iterable[bytes]) -> None:
    """Write the blocks to the disk, and to its end."""
    checked = 0
    for block in blocks:
        if incoming.size >= checked:
            checked = incoming.size + SPACE_BYTES
            if not has_space(incoming.folder, SPACE_BYTES):
                raise NoSpace()
        incoming.write(block)
        if incoming.problem:
            raise incoming.problem
    incoming.finish()
    if incoming.problem:
        raise incoming.problem


def result_columns(
    path: CleanPath, incoming: Incoming, owner_id: int, job_id: int
) -> dict[str, Any]:
    """The columns of the file. Its sent name is that of no other file, so that it is never a
    version of one."""
    kind = content_type(incoming.path, path.extension) or "application/octet-stream"
    return {
        **columns_of(path, incoming, kind, owner_id),
        "sent_name": f"{path.path} {job_id}",
        "expires_at": now() + timedelta(days=RESULT_DAYS),
    }


def store_file(run: Run, incoming: Incoming, columns: dict[str, Any]) -> None:
    """Store the file and its row. If there is no row in the end, the file is deleted."""
    [name] = store_together([(incoming, columns["extension"])])
    if isinstance(name, OSError):
        raise refusal_of(name) from name
    try:
        insert_result(run.actor, run, {**columns, "stored_name": name})
    except BaseException as error:
        if not isinstance(error, failures.DATABASE_ERRORS) or failures.left_nothing(error):
            remove_stored(settings().files_dir, name)
        raise


@service(Role.VIEWER)
def insert_result(actor: Actor, run: Run, columns: dict[str, Any]) -> None:
    """Insert the row of the file, which becomes the result of the job."""
    owner_id = columns["owner_id"]
    queries.lock_owners([owner_id])
    check_still_permitted(actor, Role.VIEWER)
    row = File(**columns)
    check_not_taken([row.path])
    ensure_folders([row.folder], owner_id)
    if not Versions(owner_id).insert([row]):
        raise Conflict(TOO_MANY)
    record(actor, "file.result", Change(row.id, after=recorded(row), version=row.version))
    cache.invalidate_folders([row.folder])
    run.set_file(row.id)
