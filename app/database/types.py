"""Column types that are the same on SQLite and MariaDB."""

from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import DateTime, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from app.times import now


class UtcDateTime(TypeDecorator[datetime]):
    """A datetime with microseconds, which MariaDB's plain DATETIME drops; stored in UTC without a
    time zone and returned aware."""

    impl = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:  # it would be taken for the machine's local time
            raise TypeError("a datetime without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def bounded(length: int) -> String:
    """Text that is compared by code points, which is SQLite's default; MariaDB needs a
    collation."""
    return String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql")


def long_text() -> Text:
    """Text without a length, compared by code points."""
    return Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql")


def large_text() -> Text:
    """Text of more than the 64 kB that MariaDB's TEXT holds, compared by code points."""
    return Text().with_variant(mysql.MEDIUMTEXT(collation="utf8mb4_bin"), "mysql")


Id = Annotated[int, mapped_column(primary_key=True)]
Moment = Annotated[datetime, mapped_column(UtcDateTime, default=now)]
