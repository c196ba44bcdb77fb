"""Steps of a migration that do nothing where they are done already. MariaDB commits each change of
a table by itself, so a migration that was interrupted is run again from its beginning."""

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
    """A moment with microseconds, kept in UTC without a zone, given back aware.

    MariaDB's plain DATETIME drops the fraction; DATETIME(6) keeps it.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def bounded(length: int) -> String:
    """Text compared by code points: SQLite does so by itself, MariaDB by this collation."""
    return String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql")


def long_text() -> Text:
    """The same for text without a length."""
    return Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql")


def columns_of(table: str) -> set[str]:
    """The names of the columns that a table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add the columns that the table lacks."""
    present = columns_of(table)
    for column in columns:
        if column.name not in present:
            op.add_column(table, column)


def add_index(name: str, table: str, columns: Sequence[str]) -> None:
    """Build an index, unless it is there. IF NOT EXISTS would say the same, but not to MySQL."""
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if name not in {index["name"] for index in indexes}:
        op.create_index(name, table, list(columns))


def drop_index(name: str, table: str) -> None:
    """Drop an index, unless it is gone."""
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if name in {index["name"] for index in indexes}:
        op.drop_index(name, table)


def add_table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table, unless it is there; one that is there is whole."""
    op.create_table(name, *parts, if_not_exists=True, **options)
