"""Creating, listing and verifying backups."""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from app.actor import Actor, Role
from app.backups import folder
from app.backups.archive.manifest import BadBackup, Manifest
from app.backups.archive.reading import Receiver, read_archive, read_manifest
from app.backups.creating import open_source, write_archive
from app.backups.proofs import last_proof
from app.config import environment
from app.current import settings
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.service import permitted
from app.disk import has_space
from app.errors import NoSpace
from app.files.models import File
from app.files.storage import deletion
from app.text import N_, Bytes
from app.times import now

log = logging.getLogger("gazetteer.backups")

# Gets the bytes that are done and those in all, after each piece of work. What it raises stops the
# work, which leaves nothing behind.
Progress = Callable[[int, int], object]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Meter:
    """Counts the bytes that are done, and reports them."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def __call__(self, size: int) -> None:
        self.done += size
        if self.progress:
            self.progress(min(self.done, self.total), self.total)


@dataclass(frozen=True)
class Backup:
    """A backup in the folder; `problem` says why its manifest cannot be read."""

    path: Path
    bytes: int
    manifest: Manifest | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.path.name


@permitted(Role.ADMIN, by_token=False)
def create_backup(actor: Actor, progress: Progress | None = None) -> Backup:
    """Back up the database, the files and the settings while people work, and delete the backups
    that are not retained any more."""
    place = settings().backup_dir
    with folder.locked(place):
        made = make_backup(progress)
        for name in folder.delete_old(place, settings().backups_retained, spared=proven_names()):
            log.info("deleted the old backup %s", name)
    return made


def proven_names() -> set[str]:
    """The backup that was last restored to prove that it can be. A database that was not prepared
    for this release has no table of these."""
    found = set()
    with tolerated("which backup is known to restore is unknown"):
        found.add(last_proof().name)
        release_connection()
    return found


def make_backup(progress: Progress | None = None) -> Backup:
    """Write a backup into the folder, which is locked."""
    place, moment = settings().backup_dir, now()
    total = estimate(place)
    if not has_space(place, total):
        raise no_space(total)
    target = folder.new_path(place, moment)
    try:
        with deletion.prevented(settings().files_dir):
            meter = Meter(total, progress)
            manifest = write_archive(target, settings().files_dir, environment(), moment, meter)
    except OSError as error:
        if error.errno in FULL:
            raise no_space(total) from None
        raise
    finally:
        release_connection()
    log.info("backup %s: %d rows, %d files", target, manifest.database.rows, manifest.files.count)
    return Backup(target, target.stat().st_size, manifest)


def estimate(place: Path) -> int:
    """About how many bytes a backup needs at most."""
    files = db.session.scalar(select(func.coalesce(func.sum(File.size), 0))) or 0
    size = int(files) + open_source(place / "unused").size()
    release_connection()
    return size


def no_space(size: int) -> NoSpace:
    values = {"size": Bytes(size), "folder": str(settings().backup_dir)}
    return NoSpace(N_("There is no space for a backup of %(size)s in %(folder)s.", **values))


@permitted(Role.ADMIN, by_token=False)
def list_backups(actor: Actor) -> list[Backup]:
    """The backups in the folder, the newest first."""
    return [describe(path) for path in folder.find_all(settings().backup_dir)]


def describe(path: Path) -> Backup:
    size = path.stat().st_size
    try:
        return Backup(path, size, read_manifest(path))
    except BadBackup as error:
        return Backup(path, size, problem=error.message)


@permitted(Role.ADMIN, by_token=False)
def verify_backup(
    actor: Actor, name: str | None = None, progress: Progress | None = None
) -> Backup:
    """Read a whole backup, by default the newest, and compare it with its manifest."""
    path = folder.find(settings().backup_dir, name)
    size = path.stat().st_size
    return Backup(path, size, read_archive(path, Receiver(), Meter(size, progress)))
