"""Waiting for a shared result."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from app.actor import Actor, Role
from app.current import client_is_gone
from app.database.engine import db, release_connection
from app.database.service import permitted
from app.errors import ClientGone, NotFound
from app.jobs.models import ACTIVE, Job, JobState
from app.jobs.queries import NO_JOB
from app.text import load_messages

WAIT_SECONDS, POLL_SECONDS = 25.0, 0.25
WAITING_MOST = 50  # requests of a process; more are answered at once
EXTENSION = "gazetteer-results-awaited"


@dataclass(frozen=True)
class SharedResult:
    """What is known about a shared result: its text if it is done, otherwise why not."""

    state: str
    text: str

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_done(self) -> bool:
        return self.state == JobState.DONE


@permitted(Role.VIEWER)
def wait_for_result(actor: Actor, key: str) -> SharedResult:
    """The result of a key, for which this waits if it is being computed. NotFound for an unknown
    key."""
    with may_wait() as waits:
        end = time.monotonic() + (WAIT_SECONDS if waits else 0)
        while (found := read_result(key)).is_active and time.monotonic() < end:
            if client_is_gone():
                raise ClientGone()
            time.sleep(POLL_SECONDS)
    return found


def read_result(key: str) -> SharedResult:
    query = select(Job.state, Job.result, Job.message).where(Job.key == key)
    row = db.session.execute(query).first()
    release_connection()
    if row is None:
        raise NotFound(NO_JOB)
    return SharedResult(row.state, row.result or load_messages(row.message or ""))


@contextmanager
def may_wait() -> Iterator[bool]:
    """Whether this request may wait, which ends with the block."""
    places: threading.Semaphore = current_app.extensions.setdefault(
        EXTENSION, threading.Semaphore(WAITING_MOST)
    )
    waits = places.acquire(blocking=False)
    try:
        yield waits
    finally:
        if waits:
            places.release()
