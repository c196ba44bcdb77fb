"""The tables."""

from datetime import UTC, datetime

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.security import check_password_hash


class Base(DeclarativeBase):
    """The base class of the tables."""


db = SQLAlchemy(model_class=Base)


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class User(UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody who can sign in."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)


class City(db.Model):  # type: ignore[name-defined,misc]
    """A city of the register."""

    id: Mapped[int] = mapped_column(primary_key=True)
    province: Mapped[str] = mapped_column(String(255), index=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    users: Mapped[int] = mapped_column(index=True)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class Change(db.Model):  # type: ignore[name-defined,misc]
    """An entry of the history."""

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    action: Mapped[str] = mapped_column(String(32))
    city_id: Mapped[int] = mapped_column(index=True)
    after: Mapped[str] = mapped_column(Text)


class File(db.Model):  # type: ignore[name-defined,misc]
    """An uploaded file."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    stored_as: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    uploaded_at: Mapped[datetime] = mapped_column(default=utc_now)
