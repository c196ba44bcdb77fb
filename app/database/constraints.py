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
    if found := DUPLICATE.search(reported):
        return found[1] == ("PRIMARY" if isinstance(constraint, PrimaryKeyConstraint) else name)
    columns = ", ".join(str(column) for column in constraint.columns)
    return reported == f"UNIQUE constraint failed: {columns}"


def find_constraint(name: str) -> PrimaryKeyConstraint | UniqueConstraint:
    """Find a constraint of the models by its name; raises LookupError if it does not exist."""
    for table in db.metadata.tables.values():
        for found in table.constraints:
            if found.name == name and isinstance(found, PrimaryKeyConstraint | UniqueConstraint):
                return found
    raise LookupError(name)
