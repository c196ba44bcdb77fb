"""The tables of jobs, of their log lines, and of the processes that do them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Moment, UtcDateTime, bounded, large_text, long_text
from app.text import load_messages

KIND_LENGTH, STATE_LENGTH, VIA_LENGTH = 32, 16, 8
KEY_LENGTH = 64
ABOUT_LENGTH = 16
WORKER_LENGTH = 255
LINES_MOST = 1000  # of the log of a job
LINE_LENGTH = 1000
RESULT_DAYS = 7  # for which a file that a job made is stored

# SQLite's own ids are of this type.
BIG_ID = BigInteger().with_variant(Integer, "sqlite")


class JobState(StrEnum):
    """The states of a job; `lost` is one whose workers died again and again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


ACTIVE = (JobState.QUEUED, JobState.RUNNING)


class Job(db.Model):  # type: ignore[name-defined,misc]
    """One job. `args` and `result` are JSON and text of any size, which lists do not read;
    `file_id` is a file that is its result.

    `created_by` is empty for what nobody owns and for the operator; `via` and `token_id` say how it
    was started, and its changes are made the same way. `key` names a result that is computed once.
    `attempt` counts the claims and is what a worker's writes are checked against; `tries` those
    since there was progress beyond `progress_most`, the most of all attempts. `sent_at` is empty
    until the clock has sent it, and `due_at` the time before which it does not. `running_key` is
    what only one running job may have.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state_sent_at", "state", "sent_at"),
        Index("ix_job_state_id", "state", "id"),
        Index("ix_job_kind_id", "kind", "id"),
        Index("ix_job_created_by_id", "created_by", "id"),
        Index("ix_job_about", "about_kind", "about_id"),
        Index("ix_job_ended_at", "ended_at"),
        {"mysql_charset": "utf8mb4"},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(KIND_LENGTH))
    key: Mapped[str | None] = mapped_column(bounded(KEY_LENGTH), unique=True)
    args: Mapped[str] = mapped_column(large_text(), deferred=True)
    state: Mapped[str] = mapped_column(String(STATE_LENGTH))
    progress_done: Mapped[int] = mapped_column(BigInteger, default=0)
    progress_most: Mapped[int] = mapped_column(BigInteger, server_default="0")
    progress_total: Mapped[int | None] = mapped_column(BigInteger)
    message: Mapped[str | None] = mapped_column(long_text())
    result: Mapped[str | None] = mapped_column(large_text(), deferred=True)
    # Without a foreign key: of a file that was deleted since the job still knows that it was there.
    file_id: Mapped[int | None]
    about_kind: Mapped[str | None] = mapped_column(String(ABOUT_LENGTH))
    about_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    via: Mapped[str] = mapped_column(String(VIA_LENGTH))
    token_id: Mapped[int | None]
    created_at: Mapped[Moment]
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(bounded(WORKER_LENGTH))
    running_key: Mapped[str | None] = mapped_column(String(KIND_LENGTH), unique=True)
    cancel_asked: Mapped[bool] = mapped_column(default=False)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


class JobLine(db.Model):  # type: ignore[name-defined,misc]
    """One line of the log of a job."""

    __tablename__ = "job_line"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    job_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    message: Mapped[str] = mapped_column(long_text())

    @property
    def shown(self) -> str:
        """The line in the language of the reader."""
        return load_messages(self.message)


class JobWorker(db.Model):  # type: ignore[name-defined,misc]
    """A process that does jobs; its name says the host and the process (processes.py)."""

    __tablename__ = "worker"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    name: Mapped[str] = mapped_column(bounded(WORKER_LENGTH), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
