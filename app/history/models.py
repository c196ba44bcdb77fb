"""The table of history entries."""

from sqlalchemy import BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Moment, bounded, long_text

KIND_LENGTH = 16
ACTION_LENGTH = 32
VIA_LENGTH = 8
REQUEST_ID_LENGTH = 64
BATCH_ID_LENGTH = 32

# Who may see an entry: a person's id, or one of these.
EVERYBODY, ADMINISTRATORS = 0, -1


class HistoryEntry(db.Model):  # type: ignore[name-defined,misc]
    """One change. Entries are never updated, except for the counts of a pruning or an import that
    goes on. They hold the ids of what they name without foreign keys: an entry outlives its
    subject, and a foreign key would lock the person's row at each change. `actor_id` is empty for
    the command line and for visitors.

    `before` and `after` are JSON objects of the fields that changed; `before` is empty for
    something new, `after` for something removed. `version` is the subject's after the change.
    `batch_id` is shared by the entries of one import or one bulk change. `reverts_id` is the entry
    that this one undid. `folded` is true for entries of a bulk change that the feed does not read,
    because another one stands for them. `visible_to` is EVERYBODY (all members), ADMINISTRATORS, or
    one person.
    """

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_subject", "subject_kind", "subject_id", "id"),
        Index("ix_history_subject_kind", "subject_kind", "id"),
        Index("ix_history_actor", "actor_id", "id"),
        Index("ix_history_action", "action", "id"),
        Index("ix_history_batch", "batch_id", "id"),
        Index("ix_history_at", "at"),
        Index("ix_history_folded", "folded", "id"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[Moment]
    actor_id: Mapped[int | None]
    via: Mapped[str] = mapped_column(String(VIA_LENGTH))
    token_id: Mapped[int | None]
    request_id: Mapped[str | None] = mapped_column(bounded(REQUEST_ID_LENGTH))
    action: Mapped[str] = mapped_column(String(ACTION_LENGTH))
    subject_kind: Mapped[str] = mapped_column(String(KIND_LENGTH))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    # BEFORE is a reserved word of MySQL.
    before: Mapped[str | None] = mapped_column("old_values", long_text())
    after: Mapped[str | None] = mapped_column("new_values", long_text())
    version: Mapped[int | None]
    batch_id: Mapped[str | None] = mapped_column(bounded(BATCH_ID_LENGTH))
    reverts_id: Mapped[int | None] = mapped_column(BigInteger)
    visible_to: Mapped[int] = mapped_column(default=EVERYBODY)
    folded: Mapped[bool] = mapped_column(server_default=text("0"), default=False)
