"""The beats of a process that does jobs: it writes every few seconds that it lives, and that it
goes on with its job."""

import logging
import os
import signal
import threading
import time

from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.failures import close_session, tolerated, violates
from app.database.service import unrecorded
from app.jobs.counts import publish_count
from app.jobs.models import JobWorker
from app.jobs.run import Run
from app.jobs.worker import claim as claims
from app.jobs.worker.processes import has_died, own_name

log = logging.getLogger("gazetteer.jobs")

BEAT_SECONDS = 5.0
FORGET_SECONDS = 3600  # of a process on a host that is gone


class Beats:
    """A thread with a connection of its own, because the work may hold the other one for long."""

    def __init__(self, app: Flask) -> None:
        self.app, self.name = app, own_name()
        self.run: Run | None = None
        self.patience = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.repeat, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """The process ends."""
        self.ended.set()
        self.thread.join(BEAT_SECONDS)
        with self.app.app_context(), tolerated("a worker did not sign off"):
            forget_worker(self.name)

    def follow(self, run: Run, patience: float) -> None:
        """Beat for this job from now on."""
        self.patience, self.run = patience, run

    def unfollow(self) -> None:
        self.run = None

    def repeat(self) -> None:
        with self.app.app_context():
            while True:
                self.beat()
                if self.ended.wait(BEAT_SECONDS):
                    return

    def beat(self) -> None:
        """One beat. A missing one does no harm: the job is taken back after several."""
        run = self.run
        if run and time.monotonic() - run.moved > self.patience:
            log.error("job %s: no progress for %d s; this process ends", run.id, self.patience)
            os.kill(os.getpid(), signal.SIGKILL)
        with tolerated("a beat was not written"):
            note_worker(self.name)
            if run and claims.beat(run.claim):
                publish_count(run.claim.created_by)
        close_session()


@unrecorded
def note_worker(name: str) -> None:
    """Write that a process lives."""
    beaten = update(JobWorker).where(JobWorker.name == name).values(beat_at=DatabaseTime())
    if db.session.execute(beaten).rowcount:  # type: ignore[attr-defined]
        return
    values = {"name": name, "started_at": DatabaseTime(), "beat_at": DatabaseTime()}
    try:
        db.session.execute(insert(JobWorker).values(values))
    except IntegrityError as error:
        if not violates(error, "pk_worker"):
            raise


@unrecorded
def forget_worker(name: str) -> None:
    db.session.execute(delete(JobWorker).where(JobWorker.name == name))


def forget_dead_workers() -> None:
    """Delete the rows of processes of this host that have died, and of hosts that are gone."""
    is_old = JobWorker.beat_at < DatabaseTime(-FORGET_SECONDS)
    found = db.session.execute(select(JobWorker.name, is_old)).all()
    db.session.rollback()
    for name, old in found:
        if old or has_died(name):
            forget_worker(name)
