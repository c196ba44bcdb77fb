"""What pages need, checked one by one."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.config import ROOT
from app.extensions import db, redis_store
from app.web import settings


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    ok: bool
    problem: str = ""


def check_all() -> dict[str, Check]:
    """All checks by name. Each tells what is wrong without an address or a password in it."""
    checks: dict[str, Callable[[], Check]] = {
        "database": check_database,
        "migrations": check_migrations,
        "redis": check_redis,
        "storage": check_storage,
    }
    return {name: check() for name, check in checks.items()}


def check_database() -> Check:
    """A query is answered."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return Check(False, "the database does not answer")
    finally:
        db.session.rollback()
    return Check(True)


def check_migrations() -> Check:
    """The tables are not older than the code. Newer ones are: the old release of a roll-out."""
    script = ScriptDirectory(str(ROOT / "migrations"))
    try:
        present = MigrationContext.configure(db.session.connection()).get_current_heads()
    except SQLAlchemyError:
        return Check(False, "the database does not answer")
    finally:
        db.session.rollback()
    if not present:
        return Check(False, "the tables are missing; run `flask db upgrade`")
    known = {revision.revision for revision in script.walk_revisions()}
    if set(present) <= known and set(present) != set(script.get_heads()):
        return Check(False, "the tables are older than the code; run `flask db upgrade`")
    return Check(True)


def check_redis() -> Check:
    """Redis answers."""
    try:
        redis_store.client.ping()
    except RedisError:
        return Check(False, "Redis does not answer")
    return Check(True)


def check_storage() -> Check:
    """A file can be written where uploads go."""
    folder = settings().files_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready")
    except OSError as error:
        current_app.logger.error("the files folder is not writable: %s", error)
        return Check(False, "the folder for files is not writable")
    return Check(True)
