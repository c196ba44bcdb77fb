"""Idempotent steps of migrations. MariaDB commits each change of a table by itself, so a migration
that was interrupted is run again from the start."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import DateTime, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A datetime with microseconds, stored in UTC without a time zone and returned aware.

    MariaDB's plain DATETIME drops the microseconds; DATETIME(6) stores them.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

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


def columns_of(table: str) -> set[str]:
    """The names of the present columns of a table."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add the columns that do not exist yet."""
    present = columns_of(table)
    for column in columns:
        if column.name not in present:
            op.add_column(table, column)


def add_index(name: str, table: str, columns: Sequence[str], unique: bool = False) -> None:
    """Create an index unless it exists. MySQL does not know IF NOT EXISTS for indexes."""
    if table == "city" and is_being_adopted():
        return
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if name not in {index["name"] for index in indexes}:
        op.create_index(name, table, list(columns), unique=unique)


def drop_index(name: str, table: str) -> None:
    """Drop an index if it exists."""
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if name in {index["name"] for index in indexes}:
        op.drop_index(name, table)


def is_being_adopted() -> bool:
    """True if `city` has rows of which none has search keys: the original program made it. After
    the migrations `flask prepare` fills in the keys, and then creates the indexes, with which that
    would take twice as long (app/database/schema.py::add_missing_indexes)."""
    query = "SELECT EXISTS (SELECT 1 FROM city{})"
    has_rows = op.get_bind().scalar(sa.text(query.format("")))
    return bool(has_rows) and not op.get_bind().scalar(
        sa.text(query.format(" WHERE province_key IS NOT NULL"))
    )


def add_table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table unless it exists. One that exists is complete: it is created atomically."""
    op.create_table(name, *parts, if_not_exists=True, **options)
