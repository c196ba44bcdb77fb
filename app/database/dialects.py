"""Expressions that are not the same on both databases."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, func, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op

from app.database.engine import db
from app.database.types import UtcDateTime

LIKE_MOST = 40  # characters


class OnMariaDb(FunctionElement[Any]):
    """One value as two expressions: the first is that for MariaDB, the second for SQLite."""

    type = String()
    inherit_cache = True


@compiles(OnMariaDb)
def compile_choice(element: OnMariaDb, compiler: SQLCompiler, **options: Any) -> str:
    on_mariadb, elsewhere = element.clauses
    chosen = on_mariadb if compiler.dialect.name == "mysql" else elsewhere
    return compiler.process(chosen, **options)


def has_text(key: Any, text: str) -> ColumnElement[bool]:
    """Rows with a text in the column. A long one is not looked for by LIKE, with which SQLite
    compares every place of a name to the end of the text: 0.2 ms a row if all letters are equal."""
    if len(text) > LIKE_MOST:
        found: ColumnElement[bool] = func.instr(key, text) > 0
        return found
    return is_like(key, f"%{escape(text)}%")


def is_like(key: Any, pattern: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = key.like(pattern, escape="/")
    return condition


def escape(text: str) -> str:
    """Text for a pattern: % and _ are letters."""
    return re.sub("[/%_]", r"/\g<0>", text)


def without_index(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, for which SQLite does not choose an index. On MariaDB a hint says which."""
    plus: Any = custom_op("+")
    return OnMariaDb(condition, UnaryExpression(condition.self_group(), operator=plus))


class DatabaseTime(FunctionElement[Any]):
    """The time of the database, and so many seconds later: that of MariaDB, which all hosts share;
    with SQLite that of this host."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: float = 0) -> None:
        super().__init__(literal(seconds))


def database_time() -> datetime:
    """The same, read now."""
    moment: datetime = db.session.scalar(select(DatabaseTime()))
    return moment


@compiles(DatabaseTime, "mysql")
def compile_mariadb_time(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    [seconds] = element.clauses
    return f"(UTC_TIMESTAMP(6) + INTERVAL {compiler.process(seconds, **options)} SECOND)"


@compiles(DatabaseTime, "sqlite")
def compile_sqlite_time(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    """As SQLAlchemy stores times."""
    [seconds] = element.clauses
    later = compiler.process(seconds, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {later} || ' seconds')"
