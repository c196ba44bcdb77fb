"""Readiness checks of everything that pages need, with time-outs."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import current_app
from redis.exceptions import RedisError
from sqlalchemy import select, text

from app.auth import common_passwords
from app.backups import maintenance
from app.backups.proofs import last_proof
from app.concurrency import run_in_thread
from app.current import settings
from app.database import schema
from app.database.engine import db
from app.database.failures import (
    DATABASE_ERRORS,
    DatabaseError,
    Kind,
    classify,
    describe,
    number_of,
)
from app.database.limits import CONNECTIONS
from app.disk import others_can_read
from app.health import work
from app.health.rules import ago, warn_of_memory
from app.health.warnings import last_proxy, last_refusal
from app.redis import failures as redis_failures
from app.redis.client import redis_store


@dataclass(frozen=True)
class Check:
    """The result of one check; a warning is ok."""

    ok: bool = True
    text: str = "ok"


# How long a report is cached; less if it is not ready, because `make run` is waiting then.
READY_SECONDS = 1.0
NOT_READY_SECONDS = 0.2

READABLE = Check(
    True,
    "warning: every account of this machine can read the database, the log or the files; "
    "`flask prepare` mends that",
)
NOT_PROVEN = "no backup has been proven restorable"
RESTORING = Check(False, "a backup is being restored")
NO_REDIS = "Redis does not answer"

TABLES_SECONDS = 60.0  # how long the tables are trusted after all were there
TABLES = {
    schema.State.SAME: Check(),
    schema.State.NEWER: Check(True, "warning: the tables are newer than this code"),
    schema.State.OLDER: Check(
        False, "the tables are older than this code; run `flask prepare`"
    ),
    schema.State.MISSING: Check(False, "the tables are missing; run `flask prepare`"),
}  # fmt: skip


# The checks open fewer files and connections than this at once.
SPARE_DESCRIPTORS = 10
NO_DESCRIPTORS = Check(False, "this process has no file descriptors left")


class ReportCache:
    """The last report of this process: everybody may request it, and disk and services should not
    be checked each time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.report: dict[str, Check] = {}
        self.until = 0.0
        self.tables_until = 0.0


def report_cache() -> ReportCache:
    cache: ReportCache = current_app.extensions.setdefault("gazetteer-readiness", ReportCache())
    return cache


def read_report() -> dict[str, Check]:
    """The results by name, at most a second old."""
    cache = report_cache()
    with cache.lock:
        if time.monotonic() >= cache.until:
            cache.report = check_all() if has_descriptors() else {"process": NO_DESCRIPTORS}
            ready = all(check.ok for check in cache.report.values())
            cache.until = time.monotonic() + (READY_SECONDS if ready else NOT_READY_SECONDS)
        return cache.report


def has_descriptors() -> bool:
    """True if this process can open the files and connections of the checks."""
    opened: list[int] = []
    try:
        while len(opened) < SPARE_DESCRIPTORS:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


def check_all() -> dict[str, Check]:
    """Run all checks; returns the results by name, without addresses, paths or passwords. If the
    database or Redis hangs, this takes until their time-outs, about five seconds at most."""
    checks: dict[str, Callable[[], Check]] = {
        "database": check_database,
        "tables": check_tables,
        "redis": check_redis,
        "storage": check_storage,
        "proxy": check_proxy,
        "passwords": check_passwords,
        "backups": check_backups,
        **{name: partial(check_work, warn) for name, warn in work.CHECKS.items()},
    }
    report: dict[str, Check] = {}
    if maintenance.is_restoring(settings().files_dir):
        return {"backups": RESTORING}
    for name, check in checks.items():
        needs_database = name in ("tables", "backups", *work.CHECKS)
        if needs_database and not all(each.ok for each in report.values()):
            continue  # this would wait for the same time-out again
        report[name] = check()
    if report["database"].ok and report["redis"].ok and (number := last_refusal()):
        report["database"] = Check(True, f"warning: it refused a statement ({number}); see the log")
    return report


def check_database() -> Check:
    """Check that a query is answered, and that the server allows as many connections as we may
    open. The pool replaces a lost connection before it is used."""
    limited = db.engine.dialect.name == "mysql"
    try:
        allowed = db.session.scalar(text("SELECT @@max_connections" if limited else "SELECT 1"))
    except DATABASE_ERRORS as error:
        return failed(error)
    finally:
        db.session.rollback()
    needed = CONNECTIONS * (settings().web_workers + 1)
    if limited and allowed < needed:
        return Check(True, f"warning: max_connections is {allowed}; {needed} may be needed")
    return Check()


def failed(error: DatabaseError) -> Check:
    """The result of a check that the database did not pass."""
    kind, number = classify(error), number_of(error)
    absent = kind is Kind.ABSENCE or not number
    check = Check(False, kind.value if absent else f"{kind} ({number}); see the log")
    if check not in report_cache().report.values():  # logged once, not at each request
        current_app.logger.error("not ready: %s: %s", kind, describe(error))
    return check


def check_tables() -> Check:
    """Check that the tables are not older than the code, and once a minute that each is there with
    its columns."""
    cache = report_cache()
    try:
        found = TABLES[schema.state(db.session.connection())]
        if found.ok and time.monotonic() >= cache.tables_until:
            for table in db.metadata.sorted_tables:
                db.session.execute(select(table).limit(0))
            cache.tables_until = time.monotonic() + TABLES_SECONDS
    except DATABASE_ERRORS as error:
        return failed(error)
    else:
        return found
    finally:
        db.session.rollback()


def check_work(warn: Callable[[], str]) -> Check:
    """A check of work.py; pages do not need it."""
    try:
        return Check(True, warn())
    except DATABASE_ERRORS as error:
        return failed(error)
    finally:
        db.session.rollback()


def check_redis() -> Check:
    """Check that Redis answers. That it refuses something is a warning, as long as it answers
    questions: people who are signed in can go on reading."""
    client = redis_store.client
    try:
        client.get("gz:ready")
    except RedisError as error:
        refused = redis_failures.classify(error) is redis_failures.ErrorKind.REFUSED
        words = f"Redis refuses: {redis_failures.describe(error)}"
        return Check(False, words if refused else NO_REDIS)
    with suppress(RedisError):
        client.set("gz:ready", "1", ex=60)
    warnings = []
    if refusal := client.breaker.recent_refusal:
        warnings.append(f"Redis refused within ten minutes: {refusal}")
    with suppress(RedisError):
        warnings += warn_of_memory(client.info("memory"))
    return Check(True, f"warning: {'; '.join(warnings)}" if warnings else "ok")


def check_storage() -> Check:
    """Check that the storage folder can be written to, and who can read what is stored."""
    try:
        run_in_thread(write_to_disk, settings().files_dir)
    except OSError as error:
        current_app.logger.error("the files folder is not writable: %s", error)
        return Check(False, "the folder for files is not writable")
    private = [settings().instance / "log", settings().files_dir]
    if db.engine.dialect.name == "sqlite":
        private.append(Path(db.engine.url.database or ""))
    return READABLE if any(map(others_can_read, private)) else Check()


def check_passwords() -> Check:
    """Check that the list of common passwords is there."""
    if common_passwords.FILE.exists():
        return Check()
    return Check(False, common_passwords.MISSING)


def check_backups() -> Check:
    """Check that a backup is known to restore; pages do not need it."""
    try:
        proof = last_proof()
    except DATABASE_ERRORS as error:
        return failed(error)
    finally:
        db.session.rollback()
    when = f"last proven restorable {ago(proof.proven_at)}" if proof.proven_at else NOT_PROVEN
    if proof.problem:
        return Check(True, f"warning: the last backup cannot be restored; {when}")
    if proof.is_due:
        return Check(True, f"warning: {when}; run `flask backup create` and `rehearse`")
    return Check(True, when)


def check_proxy() -> Check:
    """Warn of a proxy that is not trusted, and of host names that nobody checks."""
    if address := last_proxy():
        warning = f"warning: has seen X-Forwarded-For from {address}, but TRUSTED_PROXIES is 0"
        return Check(True, warning)
    if settings().trusted_proxies and not settings().trusted_hosts:
        return Check(True, "warning: TRUSTED_HOSTS is empty, so every host name is answered")
    return Check()


def write_to_disk(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ready")
        file.flush()
        os.fsync(file.fileno())
