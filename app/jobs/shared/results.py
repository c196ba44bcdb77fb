"""Waiting for a shared result."""

from dataclasses import dataclass

from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.service import permitted
from app.errors import NotFound
from app.jobs.models import ACTIVE, Job, JobState
from app.jobs.queries import NO_JOB
from app.jobs.waiting import wait_for
from app.text import load_messages

WAIT_SECONDS = 25.0


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
    return wait_for(lambda: read_result(key), lambda found: not found.is_active, WAIT_SECONDS)


def read_result(key: str) -> SharedResult:
    query = select(Job.state, Job.result, Job.message).where(Job.key == key)
    row = db.session.execute(query).first()
    release_connection()
    if row is None:
        raise NotFound(NO_JOB)
    return SharedResult(row.state, row.result or load_messages(row.message or ""))
