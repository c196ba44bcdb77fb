"""What the clock does about deliveries: it sends those that are due.

A delivery is claimed by moving its `next_at` on, so that another clock, or this one after it was
killed, sends it again then. It may arrive twice: the receiver knows it by its `Idempotency-Key`.
"""

import json
import logging
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from app.actor import Role, Via
from app.clock.registry import Loop
from app.clock.run import run_loop
from app.current import settings
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import essential, unrecorded
from app.errors import DomainError
from app.jobs.deliveries import sending, signing
from app.jobs.deliveries.models import DELAYS, Delivery, DeliveryState
from app.jobs.deliveries.queries import is_due
from app.jobs.deliveries.targets import check_url
from app.jobs.models import Job
from app.jobs.worker.claim import Text, dump_text
from app.jobs.worker.perform import acting_person, text_of

log = logging.getLogger("gazetteer.jobs")

POLL_SECONDS = 1.0
CLAIM_SECONDS = 120  # longer than an attempt takes
SERVERS_MOST = 8  # at the same time


class Dispatcher:
    """The work of one clock: a thread for each server that something is due for. They are daemons,
    so that the clock ends at once; what they were sending is sent again."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.threads: dict[str, threading.Thread] = {}

    def work(self) -> None:
        """Have sent what is due."""
        self.threads = {name: each for name, each in self.threads.items() if each.is_alive()}
        for origin in find_origins():
            if origin not in self.threads and len(self.threads) < SERVERS_MOST:
                thread = threading.Thread(target=self.send_to, args=(origin,), daemon=True)
                self.threads[origin] = thread
                thread.start()

    def send_to(self, origin: str) -> None:
        with self.app.app_context():
            run_loop(Loop(f"results delivered to {origin}", 0, partial(send_due, origin)))


@dataclass(frozen=True)
class Attempt:
    """A delivery that this process sends; `number` counts the attempts from 1."""

    id: int
    number: int
    url: str
    job_id: int
    kind: str
    key: str | None
    result: str | None
    created_by: int | None
    token_id: int | None

    @property
    def body(self) -> bytes:
        """The result as JSON, the same in each attempt; ids are too long for numbers of
        JavaScript."""
        job = {"job": str(self.job_id), "kind": self.kind, "key": self.key, "result": self.result}
        return json.dumps({"id": str(self.id), **job}, ensure_ascii=False).encode()


def find_origins() -> list[str]:
    """The servers that something is due for."""
    query = select(Delivery.origin).join(Job, Job.id == Delivery.job_id).where(is_due()).distinct()
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


def send_due(origin: str) -> None:
    """Send what is due for a server, one after the other, until it does not answer."""
    while (attempt := claim_next(origin)) and deliver(attempt):
        pass


@unrecorded
def claim_next(origin: str) -> Attempt | None:
    """Claim the delivery that waits longest; None if there is none, or if another clock was
    faster."""
    columns = (
        Delivery.id, Delivery.attempts, Delivery.target, Delivery.job_id, Job.kind, Job.key,
        Job.result, Delivery.created_by, Delivery.token_id,
    )  # fmt: skip
    query = select(*columns).join(Job, Job.id == Delivery.job_id)
    due = query.where(Delivery.origin == origin, is_due()).order_by(Delivery.next_at).limit(1)
    row = db.session.execute(due).first()
    if row is None:
        return None
    attempt = Attempt(row.id, row.attempts + 1, *row[2:])
    until = DatabaseTime(CLAIM_SECONDS)
    return (
        attempt if change(attempt, row.attempts, attempts=attempt.number, next_at=until) else None
    )


def deliver(attempt: Attempt) -> bool:
    """Send a delivery and write what came of it; False if the server did not answer. It is given
    up if the person has no access any more, or the server is not on the list."""
    try:
        acting_person(attempt.created_by, Via.JOB, attempt.token_id, Role.VIEWER)
        target, path = check_url(settings().delivery_targets, attempt.url)
    except DomainError as error:
        finish(attempt, None, text_of(error), is_final=True)
        return True
    db.session.rollback()
    body = attempt.body
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Gazetteer",
        "Idempotency-Key": str(attempt.id),
        signing.HEADER: signing.sign(signing.key_of(target.origin), int(time.time()), body),
    }
    reply = sending.post(target, path, headers, body)
    finish(attempt, reply.status, reply.error)
    level = logging.INFO if reply.is_received else logging.WARNING
    words = (attempt.id, attempt.number, target.origin, reply.status or "no answer")
    log.log(level, "delivery %s, attempt %s, to %s: %s", *words)
    return reply.status is not None


@essential
def finish(
    attempt: Attempt, status: int | None, error: Text | None, is_final: bool = False
) -> None:
    """Write what came of an attempt, unless somebody had the delivery sent again in the
    meantime."""
    values: dict[str, Any] = {"last_status": status, "last_error": error and dump_text(error)}
    if error is None or is_final or attempt.number > len(DELAYS):
        state = DeliveryState.RECEIVED if error is None else DeliveryState.GIVEN_UP
        values |= {"state": state, "next_at": None, "done_at": DatabaseTime()}
    else:
        values["next_at"] = DatabaseTime(60 * DELAYS[attempt.number - 1])
    change(attempt, attempt.number, **values)


def change(attempt: Attempt, made: int, **values: Any) -> bool:
    """Change the row of a delivery that waits and was attempted so often."""
    ours = (
        Delivery.id == attempt.id,
        Delivery.attempts == made,
        Delivery.state == DeliveryState.WAITING,
    )
    done: Any = db.session.execute(update(Delivery).where(*ours).values(values))
    return bool(done.rowcount)
