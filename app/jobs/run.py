"""A job from the side of its kind: what it was asked for, in whose name, and how it says how far it
is."""

import logging
import time
from collections.abc import Callable
from typing import Any

from app.actor import Actor, Role
from app.auth.queries import check_still_permitted
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, DatabaseError, Kind, classify
from app.errors import Invalid, Locked, Unauthorized
from app.jobs.worker import claim as claims
from app.jobs.worker.claim import Claim, Text
from app.text import N_

log = logging.getLogger("gazetteer.jobs")

WRITE_SECONDS = 0.5  # between two writes of the progress
SLICE_SECONDS = 0.2
# On SQLite others write in these pauses of a job that does nothing but write.
PAUSE_SECONDS, PAUSE_EVERY = 0.05, 0.2
ENDED_ACCESS = N_("The person or token that started this has no access any more.")


class JobInterrupted(BaseException):
    """Ends the work on a job. Not an Exception, so that no kind catches it by mistake."""


class Cancelled(JobInterrupted):
    """Somebody cancelled it."""


class Lost(JobInterrupted):
    """Another process does it now: this one took too long, or was believed to be dead."""


class Stopping(JobInterrupted):
    """The worker is to stop, and the job goes on elsewhere or later."""


class Run:
    """One attempt at a job. `args` are its checked arguments, `actor` is the person in whose name
    it is done, who needs this role as long as it goes on."""

    role: Role | None = None  # none for a shared result

    def __init__(self, claim: Claim, actor: Actor, is_stopping: Callable[[], bool]) -> None:
        self.claim, self.actor, self.is_stopping = claim, actor, is_stopping
        self.id, self.args = claim.job_id, claim.args
        self.moved = self.paused = time.monotonic()
        self.written = float("-inf")

    def report(self, done: int, total: int | None = None, message: Text | None = None) -> None:
        """Say how far it is: how much is done, of how much. Raises JobInterrupted if the job is to
        end. Called after each short piece of work; writes twice a second at most."""
        self.moved = time.monotonic()
        self.check_stopping()
        self.let_others_write()
        is_last = total is not None and done >= total
        if is_last or self.moved - self.written >= WRITE_SECONDS:
            self.ask(lambda: claims.write_progress(self.claim, done, total, message))

    def log(self, message: Text) -> None:
        """Add a line to the log of the job, which its page shows."""
        self.moved = time.monotonic()
        if not claims.write_line(self.claim, message):
            raise Lost

    def guard(self) -> None:
        """The last statement of a transaction of this job: it is rolled back if the job is to end,
        if its person has no access any more, or if another process does it. Until the commit no
        other one begins with it."""
        self.check_stopping()
        if self.role is not None:
            check_access(self.actor, self.role)
        self.check(claims.is_cancelled(self.claim, lock=True))

    def set_file(self, file_id: int) -> None:
        """Make a file the result, at the end of the transaction that stores it, as guard()."""
        self.guard()
        claims.change(self.claim, file_id=file_id)

    def wait(self, seconds: float) -> None:
        """Wait, and raise JobInterrupted if the job is to end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
            self.moved = time.monotonic()
            self.check_stopping()
            if self.moved - self.written >= WRITE_SECONDS:
                self.ask(lambda: claims.ask(self.claim))

    def ask(self, look: Callable[[], bool | None]) -> None:
        """Look whether the job is to end. While others write for long it goes on: a later look will
        do."""
        try:
            cancelled = look()
        except (Locked, *DATABASE_ERRORS) as error:
            if not is_busy(error):
                raise
            log.warning("job %s goes on: the database is busy", self.id)
        else:
            self.check(cancelled)
        finally:
            self.written = time.monotonic()

    def check_stopping(self) -> None:
        if self.is_stopping():
            raise Stopping

    def check(self, cancelled: bool | None) -> None:
        """Raise what the row says."""
        if cancelled is None:
            raise Lost
        if cancelled:
            raise Cancelled

    def let_others_write(self) -> None:
        """On SQLite, where one process writes at a time, pause now and then."""
        engine: Any = db.engine
        if engine.dialect.name == "sqlite" and time.monotonic() - self.paused > PAUSE_EVERY:
            time.sleep(PAUSE_SECONDS)
            self.paused = time.monotonic()


def check_access(actor: Actor, role: Role) -> None:
    """Invalid if the person of a job has no access any more, or its token; Forbidden if the role is
    lower now."""
    try:
        check_still_permitted(actor, role)
    except Unauthorized:
        raise Invalid(ENDED_ACCESS) from None


def is_busy(error: Locked | DatabaseError) -> bool:
    """True if others were writing."""
    if isinstance(error, Locked):
        return True
    return classify(error) in (Kind.BUSY, Kind.DEADLOCK)
