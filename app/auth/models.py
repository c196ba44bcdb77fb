"""Tables of people and of their tokens."""

import time
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.actor import Preferences
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded
from app.times import ZONE_LENGTH, now

NAME_LENGTH = 64
NAME_KEY_LENGTH = 255
PASSWORD_SHORTEST, PASSWORD_LONGEST = 8, 256
FIRST_PASSWORD_LIFE = timedelta(days=7)  # of a password that an administrator passed on
TOKEN_LABEL_LENGTH = 64
TOKENS_MOST = 20  # of a person
TOKEN_DAYS = 90
TOKEN_DAYS_CHOICES = (7, 30, TOKEN_DAYS, 365)
ADDRESS_LENGTH = 64


def epoch_now() -> int:
    """The epoch of a person who is added or changed now."""
    return int(time.time())


class Person(db.Model):  # type: ignore[name-defined,misc]
    """Someone who can sign in. `session_epoch` is the time when password, role or state last
    changed; a session carries the epoch under which it began, and ends when the two differ. As it
    is a time, nobody who gets the id of somebody else after a backup was restored has theirs."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="role"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    # Folded: no two people have names that look the same.
    name_key: Mapped[str] = mapped_column(bounded(NAME_KEY_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of a first password
    session_epoch: Mapped[int] = mapped_column("epoch", default=epoch_now)
    # How they want to read pages; NULL is what the browser says, or the default.
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(ZONE_LENGTH))
    page_size: Mapped[int | None]
    # The encoding, by its codec, in which they had the last file read that does not say its own.
    file_codec: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[Moment]
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    previous_signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Between the two.
    failed_sign_ins: Mapped[int] = mapped_column(default=0, server_default="0")

    @property
    def state(self) -> str:
        """active, disabled, invited, or expired (the first password was not used in time)."""
        if not self.active:
            return "disabled"
        if not self.must_change_password:
            return "active"
        return "expired" if self.has_expired_password() else "invited"

    @property
    def preferences(self) -> Preferences:
        return Preferences(self.language, self.time_zone, self.page_size)

    def set_password(self, password_hash: str, first: bool) -> None:
        """Replace the password by one of the person's own, or by a first password."""
        self.password_hash = password_hash
        self.must_change_password = first
        self.password_ends_at = now() + FIRST_PASSWORD_LIFE if first else None

    def has_expired_password(self) -> bool:
        return self.password_ends_at is not None and self.password_ends_at < now()


class ApiToken(db.Model):  # type: ignore[name-defined,misc]
    """A token of a person's scripts. Only the SHA-256 of its text is stored."""

    __tablename__ = "api_token"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    label: Mapped[str] = mapped_column(bounded(TOKEN_LABEL_LENGTH))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_from: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    revoked_at: Mapped[datetime | None] = mapped_column("ended_at", UtcDateTime)

    @property
    def ends_at(self) -> datetime:
        """When it expires. A row of the previous release does not say so."""
        return self.expires_at or self.created_at + timedelta(days=TOKEN_DAYS)

    def has_expired(self) -> bool:
        return self.ends_at <= now()
