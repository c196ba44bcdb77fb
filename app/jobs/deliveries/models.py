"""The table of deliveries."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Moment, UtcDateTime, bounded, long_text
from app.jobs.models import BIG_ID, STATE_LENGTH

URL_LENGTH = 500
# Minutes after each attempt; after the last of these attempts another one is the end.
DELAYS = (1, 5, 30, 180)


class DeliveryState(StrEnum):
    """The states of a delivery."""

    WAITING = "waiting"
    RECEIVED = "received"
    GIVEN_UP = "given_up"


class Delivery(db.Model):  # type: ignore[name-defined,misc]
    """The result of one job for one address. `created_by` and `token_id` say in whose name it is
    sent, who must still have access; empty for the operator. `origin` is the server of `target`.

    While it waits, `next_at` is when it is sent at the earliest, which is moved on with each
    attempt; `last_error` are the messages of the last one. `done_at` is when it was received or
    given up."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("job_id", "target"),
        Index("ix_delivery_state_next_at", "state", "next_at"),
        {"mysql_charset": "utf8mb4"},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, autoincrement=False)
    job_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("job.id", ondelete="CASCADE"))
    target: Mapped[str] = mapped_column(bounded(URL_LENGTH))
    origin: Mapped[str] = mapped_column(bounded(URL_LENGTH))
    state: Mapped[str] = mapped_column(String(STATE_LENGTH))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(long_text())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    token_id: Mapped[int | None]
    created_at: Mapped[Moment]
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
