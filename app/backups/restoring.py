"""Restoring a backup: beside what is there, and then in its place, all at once."""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import inspect, text

from app.actor import Actor, Role
from app.auth.sessions import installation
from app.backups import folder, maintenance
from app.backups.archive.manifest import BadBackup, Manifest
from app.backups.archive.reading import Receiver, read_archive
from app.backups.databases.sources import KINDS
from app.backups.databases.targets import MariaDbTarget, SqliteTarget, Target
from app.backups.placing import Restorer, placed_files
from app.backups.services import FULL, Backup, Meter, Progress, make_backup
from app.cities import cache as cities
from app.current import settings
from app.database import schema
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import permitted
from app.disk import has_space
from app.errors import Conflict, NoSpace, Refused
from app.files import cache as files
from app.files.download.counting import forget_counts
from app.files.storage import deletion
from app.logs.events import event
from app.schedules.running.due import pass_over
from app.text import N_, Bytes

log = logging.getLogger("gazetteer.backups")

OWNED = ("person", "city", "file")  # an installation without rows in these is empty
NOT_EMPTY = N_("There are people, cities or files here already. --replace replaces them.")


@dataclass(frozen=True)
class RestoredBackup:
    """What was restored, and the backup of what was there before."""

    path: Path
    manifest: Manifest
    former: Backup | None
    sessions_ended: bool


@permitted(Role.ADMIN, by_token=False)
def restore_backup(
    actor: Actor, name: str | None = None, replace: bool = False, progress: Progress | None = None
) -> RestoredBackup:
    """Restore a backup, by default the newest, into an empty installation or, with `replace`, after
    a backup of what is there. Until everything is read and compared nothing changes for anybody
    but that pages answer 503; if it fails, what was there is there."""
    place, files_dir = settings().backup_dir, settings().files_dir
    with folder.locked(place):
        path = folder.find(place, name)
        size = path.stat().st_size
        meter = Meter(2 * size, progress)
        manifest = read_archive(path, Receiver(), meter)
        check_fits(manifest)
        check_space(manifest, files_dir)
        prepare_database()
        is_empty = not has_rows()
        if not is_empty and not replace:
            raise Conflict(NOT_EMPTY)
        with maintenance.begun(files_dir):
            former = None if is_empty else make_backup()
            with deletion.prevented(files_dir):
                put_in_place(path, manifest, meter)
            ended = finish(actor, path)
    return RestoredBackup(path, manifest, former, ended)


def check_fits(manifest: Manifest) -> None:
    """BadBackup if this release or this kind of database cannot take it."""
    kind = KINDS[db.engine.dialect.name]
    if manifest.database.kind != kind:
        raise BadBackup(
            N_(
                "This is a backup of %(other)s, and DATABASE_URL names %(this)s.",
                other=manifest.database.kind,
                this=kind,
            )
        )
    if manifest.database.revision not in schema.known_revisions():
        raise BadBackup(N_("This backup was made by a newer release, which has to restore it."))


def check_space(manifest: Manifest, place: Path) -> None:
    """NoSpace if the restored files and database do not fit."""
    needed = manifest.files.bytes + manifest.database.content.bytes
    if not has_space(place, needed):
        size = Bytes(needed)
        raise NoSpace(N_("There is no space to restore a backup of %(size)s.", size=size))


def prepare_database() -> None:
    """Create the database, or the folder of SQLite's file, if it does not exist."""
    if db.engine.dialect.name == "mysql":
        schema.create_database(settings().database_url)
        return
    database = Path(db.engine.url.database or "")
    database.parent.mkdir(parents=True, exist_ok=True)
    schema.make_private(database)


def has_rows() -> bool:
    """True if there are people, cities or files."""
    with db.engine.connect() as connection:
        present = set(inspect(connection).get_table_names())
        return any(
            connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first()  # noqa: S608
            for name in OWNED
            if name in present
        )


def open_target(scratch: Path | None = None) -> Target:
    """A database beside that of the application; `scratch` is where SQLite's file is, if it is not
    to become that one."""
    if db.engine.dialect.name == "mysql":
        return MariaDbTarget(db.engine)
    database = Path(db.engine.url.database or "")
    return SqliteTarget(database, scratch or database.with_name(f"{database.name}.restored"))


def put_in_place(path: Path, manifest: Manifest, meter: Meter) -> None:
    """Load the dump beside the database and add the files, which nobody sees; then switch."""
    db.session.remove()
    target = open_target()
    try:
        with placed_files(settings().files_dir) as placed:
            read_archive(path, Restorer(target, placed), meter)
            target.check_counts(manifest.database)
            target.renew()
            os.sync()  # the files, before rows name them
            target.switch()
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoSpace(N_("The disk is full. Nothing was restored.")) from None
    finally:
        target.discard()


def finish(actor: Actor, path: Path) -> bool:
    """Bring the tables up to this release, and let Redis forget what it knew of the former ones;
    returns whether that ended all sessions. Where Redis does not answer, the next start of a web
    process does."""
    db.engine.dispose()
    try:
        schema.bring_up_to_date(settings().database_url)
    except schema.SchemaError as error:
        raise Refused(N_("The backup was restored. %(problem)s", problem=str(error))) from None
    with tolerated("what schedules planned before now counts as missed"):
        pass_over()
    event("backup-restored", logging.WARNING, backup=path.name, via=actor.via.value)
    with suppress(RedisError):
        cities.CACHE.invalidate()
        files.CACHE.invalidate()
        forget_counts()
        return installation.compare()
    return False
