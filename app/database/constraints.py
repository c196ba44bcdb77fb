"""Recognising the constraint that a statement violated."""

import re

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from app.database.engine import db

DUPLICATE = re.compile(r"for key '(?:\w+\.)?(\w+)'$")


def violates(error: IntegrityError, name: str) -> bool:
    """True if a statement violated the unique constraint or primary key of this name. MariaDB
    reports the name (PRIMARY for every primary key), SQLite the columns."""
    reported = str(error.orig.args[-1]) if error.orig is not None and error.orig.args else ""
    constraint = find_constraint(name)
    columns = ", ".join(str(column) for column in constraint.columns)
    if reported == f"UNIQUE constraint failed: {columns}":
        return True
    found = DUPLICATE.search(reported)
    primary = isinstance(constraint, PrimaryKeyConstraint)
    return found is not None and found[1] == ("PRIMARY" if primary else name)


def find_constraint(name: str) -> PrimaryKeyConstraint | UniqueConstraint:
    """Find a constraint of the models by its name; raises LookupError if it does not exist."""
    for table in db.metadata.tables.values():
        for constraint in table.constraints:
            if constraint.name == name and isinstance(
                constraint, PrimaryKeyConstraint | UniqueConstraint
            ):
                return constraint
    raise LookupError(name)
