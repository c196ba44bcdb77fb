"""What is known of backups: which were restored to prove that they can be."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, long_text

NAME_LENGTH = 100
HOST_LENGTH = 255


class BackupProof(db.Model):  # type: ignore[name-defined,misc]
    """One rehearsal of a backup. `problem` is the message that says why it cannot be
    restored, as `app/text.py::dump_messages` writes it."""

    __tablename__ = "backup_proof"
    __table_args__ = (
        Index("ix_backup_proof_at", "at"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    host: Mapped[str] = mapped_column(String(HOST_LENGTH))
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    at: Mapped[Moment]
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    file_count: Mapped[int] = mapped_column(BigInteger, default=0)
    byte_count: Mapped[int] = mapped_column(BigInteger, default=0)
    problem: Mapped[str | None] = mapped_column(long_text())
