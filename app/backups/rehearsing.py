"""Rehearsing: restoring a backup beside everything, to know that it can be restored."""

import hashlib
import logging
import socket
from pathlib import Path

from app.actor import Actor, Role
from app.backups import folder
from app.backups.archive.manifest import BadBackup, Manifest
from app.backups.archive.reading import Receiver, read_archive
from app.backups.databases.targets import Target
from app.backups.models import HOST_LENGTH, NAME_LENGTH, BackupProof
from app.backups.placing import Restorer, placed_files
from app.backups.restoring import check_fits, check_space, open_target
from app.backups.services import Backup, Meter, Progress
from app.current import settings
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, describe
from app.database.service import essential, permitted
from app.errors import DomainError
from app.files.storage.folder import path_of
from app.text import N_, Message, dump_messages

log = logging.getLogger("gazetteer.backups")

SCRATCH = f"rehearsal{folder.PART}"
DIFFERENT = N_("After restoring, files of the backup are not what its rows say.")


@permitted(Role.ADMIN, by_token=False)
def rehearse_backup(
    actor: Actor, name: str | None = None, progress: Progress | None = None
) -> Backup:
    """Restore a backup, by default the newest, into a scratch database and folder, compare all of
    it, and delete that again. What came out is stored, also if it failed."""
    place = settings().backup_dir
    with folder.locked(place):
        path = folder.find(place, name)
        found = Backup(path, path.stat().st_size)
        try:
            found = prove(found, progress)
        except (DomainError, *DATABASE_ERRORS, OSError) as error:
            problem = problem_of(error)
            store_proof(found, problem)
            log.error("the backup %s cannot be restored: %s", found.name, problem)
            raise
        store_proof(found, None)
    return found


def prove(backup: Backup, progress: Progress | None) -> Backup:
    """Raise an error if the backup cannot be restored."""
    meter = Meter(2 * backup.bytes, progress)
    manifest = read_archive(backup.path, Receiver(), meter)
    place = settings().backup_dir
    check_fits(manifest)
    check_space(manifest, place)
    db.session.remove()
    target = open_target(place / f"rehearsal.sqlite{folder.PART}")
    try:
        with placed_files(place / SCRATCH) as files:
            read_archive(backup.path, Restorer(target, files), meter)
        target.check_counts(manifest.database)
        target.check_content(manifest.database)
        check_files(target, place / SCRATCH, manifest)
    finally:
        target.discard()
        folder.remove(place / SCRATCH)
    return Backup(backup.path, backup.bytes, manifest)


def check_files(target: Target, place: Path, manifest: Manifest) -> None:
    """BadBackup if a row does not find its file, unless that was so when the backup was made."""
    wrong = sum(hash_of(path_of(place, name)) != sha256 for name, sha256 in target.stored_files())
    if wrong != manifest.files.missing + manifest.files.altered:
        raise BadBackup(DIFFERENT)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file; empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def problem_of(error: Exception) -> Message:
    """Why a rehearsal failed, for readers of each language."""
    if isinstance(error, DomainError) and isinstance(error.args[0], Message):
        return error.args[0]
    said = describe(error) if isinstance(error, DATABASE_ERRORS) else str(error)
    return Message("%(said)s", {"said": said or type(error).__name__})


@essential
def store_proof(backup: Backup, problem: Message | None) -> None:
    """Store what came out of a rehearsal."""
    manifest = backup.manifest
    proof = BackupProof(
        name=backup.name[:NAME_LENGTH],
        host=socket.gethostname()[:HOST_LENGTH],
        made_at=manifest.made_at if manifest else None,
        row_count=manifest.database.rows if manifest else 0,
        file_count=manifest.files.count if manifest else 0,
        byte_count=backup.bytes,
        problem=dump_messages([problem]) if problem else None,
    )
    db.session.add(proof)
