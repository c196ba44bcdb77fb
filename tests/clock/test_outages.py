"""Redis or the database goes away while a clock runs, and comes back: no thread of it has ended."""

import threading
from contextlib import suppress
from sqlite3 import OperationalError
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, update

from app.actor import Role
from app.clock import run as clocks
from app.clock.registry import loops_of
from app.clock.run import Clock
from app.database.engine import db
from app.database.service import run_transaction
from app.jobs import kinds
from app.jobs.kinds import JobKind
from app.jobs.models import Job
from app.schedules import shipped
from app.schedules.models import GRACE_MOST, ScheduleRun
from app.schedules.shipped import Shipped
from app.schedules.triggers import TriggerKind
from tests.factories import again_while_locked
from tests.schedules.conftest import create
from tests.servers import Relay, wait_until

WAIT_SECONDS = 60  # for SQLite, to which the clock writes too


class BusyFile:
    """Another process that writes to the file of SQLite for as long as the database is away."""

    def __init__(self):
        self.other = db.engine.raw_connection()

    def cut(self):
        wait_until(self.begin, "nobody else writes")

    def begin(self):
        with suppress(OperationalError):
            self.other.execute("BEGIN IMMEDIATE")
            return True
        return False

    def mend(self):
        self.other.rollback()


class Progress:
    """How often each thread of the clock has done something: housekeeping, schedules, sending."""

    def __init__(self):
        self.ticks = []

    def count(self):
        db.session.rollback()
        return (
            len(self.ticks),
            *again_while_locked(lambda: run_transaction(self.end_jobs, WAIT_SECONDS)),
        )

    def end_jobs(self):
        """End the jobs that were sent, as a worker would, so that more may begin."""
        sent = Job.sent_at.is_not(None)
        db.session.execute(update(Job).where(sent).values(state="done"))
        runs = db.session.scalar(select(func.count()).select_from(ScheduleRun))
        return runs, db.session.scalar(select(func.count()).where(sent))

    def wait(self, what):
        """Wait until each has done something more."""
        before = self.count()
        wait_until(lambda: all(map(int.__gt__, self.count(), before)), what)


@pytest.fixture
def progress():
    return Progress()


@pytest.fixture
def site(any_app, make_app, redis_url, progress, monkeypatch):
    """A clock's application, whose Redis and database can be cut, and these two."""
    for name in ("BEAT_SECONDS", "FAILED_SECONDS"):
        monkeypatch.setattr(clocks, name, 0.2)
    redis, settings = Relay(urlsplit(redis_url).path), {}
    if db.engine.dialect.name == "sqlite":
        database = BusyFile()
    else:
        url = urlsplit(any_app.config["SETTINGS"].database_url)
        database = Relay(url.hostname, url.port)
        settings = {"DATABASE_URL": url._replace(netloc=f"root@127.0.0.1:{database.port}").geturl()}
    app = make_app(own=True, REDIS_URL=f"redis://127.0.0.1:{redis.port}", **settings)
    kinds.add(app, JobKind("nothing", "Nothing", lambda _run: None, Role.ADMIN))
    kinds.add_housekeeping(app, "tick", "Tick", lambda: progress.ticks.append(1))
    with app.app_context():
        assert shipped.store(Shipped("tick", "Tick", "tick", "1 s", TriggerKind.INTERVAL))
        create(kind="nothing", expression="1 s", at_once=20, grace_seconds=GRACE_MOST)
        db.session.remove()
    yield app, redis, database
    for each in (redis, database):
        each.mend() if isinstance(each, BusyFile) else each.cut()


def test_a_clock_goes_on_after_an_outage(site, progress, caplog):
    app, redis, database = site
    stopped = threading.Event()

    def run():
        with app.app_context():
            Clock(loops_of(app).values()).run(stopped.is_set)

    clock = threading.Thread(target=run)
    clock.start()
    try:
        progress.wait("the first work")
        redis.cut()
        wait_until(lambda: "Redis" in caplog.text, "Redis is missed")
        ticks = len(progress.ticks)
        wait_until(lambda: len(progress.ticks) > ticks + 1, "housekeeping without Redis")
        redis.mend()
        progress.wait("work after the outage of Redis")
        caplog.clear()
        database.cut()
        wait_until(lambda: "the clock waits: the database" in caplog.text, "the database is missed")
        database.mend()
        progress.wait("work after the outage of the database")
    finally:
        stopped.set()
        clock.join(120)
    assert not clock.is_alive()
    with app.app_context():
        assert "missed" not in db.session.scalars(select(ScheduleRun.state)).all()
