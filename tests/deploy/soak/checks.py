"""What must be true after all faults."""

import hashlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import requests
from sqlalchemy import select, text

from app.cities.fields import values_of
from app.cities.models import City, RemovedCity
from app.database.engine import db
from app.files.models import File
from app.files.storage.folder import path_of
from app.history.models import HistoryEntry
from tests import servers
from tests.deploy.soak.ledger import Key, Ledger
from tests.deploy.test_supervisor import ready, workers
from tests.factories import entries

MOST_MB, MOST_DESCRIPTORS, MOST_WAL_MB = 200, 200, 64
TWO_DAYS = 2 * 24 * 3600
# flask start, supervisord, the clock, the worker and its child, the master and two workers.
# Redis overwrites its environment.
PROCESSES = 8


def key_of(entry: HistoryEntry, after: dict[str, object]) -> Key | None:
    """The write of the ledger that an entry records."""
    match entry.action:
        case "city.create" | "city.update":
            return entry.action, str(after["users"])
        case "file.create":
            return entry.action, str(after["sha256"])
        case (
            "person.password"
            | "city.delete"
            | "city.restore"
            | "file.delete"
            | "file.restore"
            | "import.apply"
        ):
            return entry.action, str(entry.subject_id)
    return None


def check_ledger(ledger: Ledger) -> Iterator[str]:
    """Every acknowledged write is in the history exactly once, another one at most once."""
    found = Counter(key_of(e, json.loads(e.after or "{}")) for e in entries())
    bounds = ledger.bounds()
    for key, (least, most) in bounds.items():
        if not least <= found[key] <= most:
            yield f"{key} is in the history {found[key]} times, not {least} to {most} times"
    for key in found.keys() - bounds.keys() - {None}:
        yield f"nobody has sent {key}"


def check_cities() -> Iterator[str]:
    """The register is what the history says."""
    expected: dict[int, dict[str, object]] = {}
    versions: dict[int, int | None] = {}
    for entry in entries("city"):
        versions[entry.subject_id] = entry.version
        if entry.action == "city.delete":
            del expected[entry.subject_id]
        else:
            values = expected.setdefault(entry.subject_id, {})
            values.update(json.loads(entry.after or "{}"))
    rows = {row.id: row for row in db.session.scalars(select(City))}
    for city_id in expected.keys() | rows.keys():
        row = rows.get(city_id)
        if (
            row is None
            or values_of(row) != expected.get(city_id)
            or row.version != versions[city_id]
        ):
            yield f"city {city_id} is {row and values_of(row)}, not {expected.get(city_id)}"
    removed = sorted(db.session.scalars(select(RemovedCity.city_id)))
    if removed != sorted(versions.keys() - expected.keys()):
        yield f"the removed cities are {removed}"


def check_files(folder: Path) -> Iterator[str]:
    """Each row has its entry and its bytes, and after `flask purge-files` nothing else is there."""
    made = {entry.subject_id for entry in entries("file") if entry.action == "file.create"}
    rows = list(db.session.scalars(select(File)))
    if made != {row.id for row in rows}:
        yield f"files with an entry or a row only: {made ^ {row.id for row in rows}}"
    for row in rows:
        data = path_of(folder, row.stored_name).read_bytes()
        if hashlib.sha256(data).hexdigest() != row.sha256 or len(data) != row.size:
            yield f"file {row.id} has {len(data)} other bytes"
        if row.name == "broken.txt":
            yield f"file {row.id} was never sent to its end"
    removed = {entry.subject_id: entry.action == "file.delete" for entry in entries("file")}
    for row in rows:
        if (row.removed_at is not None) != removed[row.id]:
            yield f"file {row.id} was {'' if removed[row.id] else 'not '}removed"
    if not any(row.downloads for row in rows):
        yield "the clock has counted no download"
    last = Counter((row.owner_id, row.folder, row.name) for row in rows if is_current(row))
    yield from (f"{name} has {count} current versions" for name, count in last.items() if count > 1)
    stored = {path.name for path in folder.glob("*/*")}
    yield from (f"{name} is in the folder" for name in stored - {row.stored_name for row in rows})


def is_current(row: File) -> bool:
    return row.replaced_at is None and row.removed_at is None


def make_old(folder: Path) -> None:
    """Housekeeping leaves young files alone."""
    old = time.time() - TWO_DAYS
    for path in folder.glob("*/*"):
        os.utime(path, (old, old))


def check_processes(instance: servers.Instance) -> Iterator[str]:
    """All run, nobody else does, and the workers have not grown."""
    servers.wait_until(lambda: ready(instance), "it is ready")
    try:
        servers.wait_until(
            lambda: len(instance.processes()) == PROCESSES and len(workers(instance)) == 2,
            f"{PROCESSES} processes run, of which two are workers",
        )
    except TimeoutError as error:
        yield "\n".join([str(error), *instance.processes()])
    report = requests.get(f"{instance.base}/readyz", timeout=60).json()["checks"]
    # Other warnings, of what was refused during the faults, are shown for ten minutes.
    if report["clock"] != "ok":
        yield f"clock: {report['clock']}"
    for pid in workers(instance):
        size, files = memory(pid), descriptors(pid)
        if size > MOST_MB or files > MOST_DESCRIPTORS:
            yield f"worker {pid} has {size} MB and {files} descriptors"
    log = "".join(p.read_text(errors="replace") for p in (instance.folder / "log").glob("web.log*"))
    yield from (f"answered 500: {line}" for line in re.findall(r".* status=500 .*", log))


def memory(pid: int) -> int:
    """The largest resident memory of a process so far, in megabytes; 0 if it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


def descriptors(pid: int) -> int:
    """How many descriptors a process has open; 0 if it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    except OSError:
        return 0


def check_database() -> Iterator[str]:
    """It is sound, and nobody waits or reads an old state."""
    yield from check_sqlite() if db.engine.dialect.name == "sqlite" else check_mariadb()
    db.session.rollback()


def check_sqlite() -> Iterator[str]:
    for pragma, expected in (("integrity_check", "ok"), ("foreign_key_check", None)):
        found = db.session.scalar(text(f"PRAGMA {pragma}"))
        if found != expected:
            yield f"{pragma}: {found}"
    db.session.rollback()
    size = Path(f"{db.engine.url.database}-wal").stat().st_size >> 20
    if size > MOST_WAL_MB:
        yield f"the write-ahead log has {size} MB"
    with db.engine.raw_connection() as connection:
        is_busy, *_pages = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        yield "somebody reads an old state"


def check_mariadb() -> Iterator[str]:
    others = "<> CONNECTION_ID() AND"
    for table in (
        f"innodb_trx WHERE trx_mysql_thread_id {others} trx_started < NOW() - INTERVAL 9 SECOND",
        f"processlist WHERE id {others} command = 'Query' AND time > 9",
    ):
        count = db.session.scalar(text(f"SELECT COUNT(*) FROM information_schema.{table}"))  # noqa: S608
        if count:
            yield f"{count} in {table}"
