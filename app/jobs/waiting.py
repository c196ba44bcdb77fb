"""Waiting in a request for a job, without holding a connection to the database."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from flask import current_app
from sqlalchemy import select

from app.current import client_is_gone
from app.database.engine import db, release_connection
from app.errors import ClientGone
from app.jobs.models import ACTIVE, Job, JobState
from app.text import load_messages

T = TypeVar("T")

POLL_SECONDS = 0.25
WAITING_MOST = 50  # requests of a process; more are answered at once
EXTENSION = "gazetteer-jobs-awaited"


@dataclass(frozen=True)
class JobEnd:
    """The state of a job, and its message in the language of the reader. One that was
    deleted counts as done."""

    state: str = JobState.DONE
    message: str = ""

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def failure(self) -> str:
        """Why it has failed, if it has."""
        return self.message if self.state in (JobState.FAILED, JobState.LOST) else ""


def wait_for_job(job_id: int | None, seconds: float) -> JobEnd:
    """The state of a job when it has ended, or after so many seconds at most."""
    return wait_for(lambda: read_end(job_id), lambda found: not found.is_active, seconds)


def read_end(job_id: int | None) -> JobEnd:
    row = db.session.execute(select(Job.state, Job.message).where(Job.id == job_id)).first()
    return JobEnd(row.state, load_messages(row.message or "")) if row else JobEnd()


def wait_for(read: Callable[[], T], is_over: Callable[[T], bool], seconds: float) -> T:
    """What `read` returns when that is over, or after so many seconds at most."""
    with may_wait() as waits:
        end = time.monotonic() + (seconds if waits else 0)
        while True:
            found = read()
            release_connection()
            if is_over(found) or time.monotonic() >= end:
                return found
            if client_is_gone():
                raise ClientGone()
            pause()


def pause() -> None:
    time.sleep(POLL_SECONDS)


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
