"""People and the tokens of their scripts."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded
from app.times import now

NAME_LENGTH = 64
NAME_KEY_LENGTH = 255
PASSWORD_SHORTEST, PASSWORD_LONGEST = 8, 256
# How long a password that an administrator handed out lets its owner in.
FIRST_PASSWORD_LIFE = timedelta(days=7)
TOKEN_LABEL_LENGTH = 64


class Person(db.Model):  # type: ignore[name-defined,misc]
    """Someone who can sign in. `epoch` rises when password, role or state change; a session
    carries the epoch it was made under and ends when the two differ."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="role"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    # Folded: two people whose names look the same are one too many.
    name_key: Mapped[str] = mapped_column(bounded(NAME_KEY_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    # Only a password that an administrator handed out ends by itself.
    password_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def state(self) -> str:
        """One word for lists: active, disabled, or what became of the first password."""
        if not self.active:
            return "disabled"
        if not self.must_change_password:
            return "active"
        return "expired" if self.password_ended() else "invited"

    def password_ended(self) -> bool:
        """Whether the first password was not used in time."""
        return self.password_ends_at is not None and self.password_ends_at < now()


class ApiToken(db.Model):  # type: ignore[name-defined,misc]
    """A token of a person's scripts. Only its SHA-256 is kept; the text is shown once."""

    __tablename__ = "api_token"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    label: Mapped[str] = mapped_column(bounded(TOKEN_LABEL_LENGTH))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
