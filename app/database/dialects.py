"""Expressions that are not the same on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op


class OnMariaDb(FunctionElement[Any]):
    """One value as two expressions: the first is that for MariaDB, the second for SQLite."""

    type = String()
    inherit_cache = True


@compiles(OnMariaDb)
def compile_choice(element: OnMariaDb, compiler: SQLCompiler, **options: Any) -> str:
    on_mariadb, elsewhere = element.clauses
    chosen = on_mariadb if compiler.dialect.name == "mysql" else elsewhere
    return compiler.process(chosen, **options)


def without_index(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, for which SQLite does not choose an index. On MariaDB a hint says which."""
    plus: Any = custom_op("+")
    return OnMariaDb(condition, UnaryExpression(condition.self_group(), operator=plus))
