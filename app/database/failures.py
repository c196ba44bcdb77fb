"""What an error of the database means. Pages, uploads, commands and health checks share this table.

Errors are recognised by number, never by text except for the name of a constraint, and are logged
with the database's number and message. Messages contain values of rows, which are left out of the
log.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.database.engine import db
from app.errors import (
    ChangeTooLong,
    Conflict,
    DomainError,
    Fault,
    Locked,
    NoSpace,
    Refused,
    TooLong,
    Unavailable,
)
from app.text import N_

T = TypeVar("T")

log = logging.getLogger("gazetteer.database")

DATABASE_ERRORS = (DBAPIError, PoolTimeout)
DatabaseError = DBAPIError | PoolTimeout

ON_REFUSAL = "gazetteer-database-refusal"
UNIQUE = (PrimaryKeyConstraint, UniqueConstraint, Index)
STATEMENT_LENGTH = 500  # in the log


class Kind(StrEnum):
    """What went wrong; the values are the words of the log."""

    ABSENCE = "the database does not answer"
    BUSY = "the database is busy"
    TOO_LONG = "a statement took too long"
    LOCK = "a row is locked elsewhere"
    DEADLOCK = "the database reports a deadlock"
    FULL = "the disk of the database is full"
    REFUSED = "the database refuses this"
    IN_USE = "other rows refer to this"
    GONE = "what this refers to does not exist"
    FAULT = "a statement failed"


# MariaDB's and MySQL's numbers. What is not in the table is a fault.
MYSQL = {
    number: kind
    for kind, numbers in {
        # The connection is lost or not accepted: by the network, a restart (1053), a kill (1927),
        # an idle time-out (4031), a limit (1040, 1203, 1226), a cluster that is not ready (1047).
        Kind.ABSENCE: (
            1040, 1047, 1053, 1080, 1135, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1637,
            1927, 2002, 2003, 2006, 2013, 2014, 2045, 2055, 4031,
        ),
        # max_statement_time, KILL QUERY, max_execution_time
        Kind.TOO_LONG: (1317, 1969, 3024),
        Kind.LOCK: (1205, 3572),
        # 1467 is a deadlock while INSERT ... SELECT waits for its ids; 1020: a row has changed
        # since this transaction read it (reported by default since 11.6); 1412: so has a table.
        Kind.DEADLOCK: (1020, 1213, 1412, 1467),
        Kind.FULL: (1021, 1114),
        # A missing right or account, an unknown database, a host that may not connect, a server or
        # table that is read only, an exhausted quota, damage, a protocol that we do not speak.
        Kind.REFUSED: (
            1034, 1035, 1036, 1037, 1041, 1044, 1045, 1049, 1129, 1130, 1142, 1143, 1194, 1195,
            1227, 1251, 1275, 1290, 1370, 1524, 1698, 1720, 1792, 1820, 1836, 1862, 2026,
            2054, 2059, 2061, 3118, 3159, 3955, 4151,
        ),
        Kind.IN_USE: (1217, 1451),
        Kind.GONE: (1216, 1452),
    }.items()
    for number in numbers
}  # fmt: skip
# SQLite's primary codes: the lowest byte of the extended code.
SQLITE = {
    3: Kind.REFUSED,  # PERM
    5: Kind.BUSY,
    6: Kind.BUSY,  # LOCKED
    8: Kind.REFUSED,  # READONLY
    9: Kind.TOO_LONG,  # INTERRUPT
    10: Kind.REFUSED,  # IOERR
    11: Kind.REFUSED,  # CORRUPT
    13: Kind.FULL,
    14: Kind.REFUSED,  # CANTOPEN
    15: Kind.BUSY,  # PROTOCOL
    23: Kind.REFUSED,  # AUTH
    26: Kind.REFUSED,  # NOTADB
}
SQLITE_FOREIGN_KEY = 787  # for both sides of the key
# Numbers for any error of a file; the message names the error of the operating system.
FILE_ERRORS = (3, 20, 1004, 1026, 1030)
DISK_FULL = re.compile(r"(?:errcode|errno|error):? (?:28|122)\b", re.IGNORECASE)
# Their quoted words are names of columns, tables and accounts; others may quote values.
QUOTES_NAMES = frozenset({
    1044, 1045, 1048, 1049, 1054, 1060, 1061, 1072, 1091, 1114, 1142, 1143, 1146, 1176, 1194, 1227,
    1264, 1290, 1364, 1406, 1698, 2002, 2003, 2006, 2013,
})  # fmt: skip
DUPLICATE = re.compile(r"for key '(?:\w+\.)?(\w+)'$")
QUOTED = re.compile(r"'.*'(?P<key> for key '[\w.]+'$)|'.*'", re.DOTALL)


def classify(error: DatabaseError) -> Kind:
    if isinstance(error, PoolTimeout):
        return Kind.ABSENCE
    code = sqlite_code(error)
    if code == SQLITE_FOREIGN_KEY:
        is_delete = statement_of(error).upper().startswith("DELETE")
        return Kind.IN_USE if is_delete else Kind.GONE
    if code is not None:
        return SQLITE.get(code & 0xFF, Kind.FAULT)
    number = number_of(error)
    if number in FILE_ERRORS and DISK_FULL.search(message_of(error)):
        return Kind.FULL
    if number not in MYSQL and error.connection_invalidated:
        return Kind.ABSENCE
    return MYSQL.get(number, Kind.FAULT)


def number_of(error: DatabaseError) -> int:
    """The database's number; 0 for an error of the driver, which has none."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    first = orig.args[0] if orig is not None and orig.args else 0
    return sqlite_code(error) or (first if isinstance(first, int) else 0)


def sqlite_code(error: DatabaseError) -> int | None:
    """SQLite's extended code; None for other databases and errors of the driver."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", None)


def message_of(error: DBAPIError) -> str:
    """The database's message, or else the name of the driver's error."""
    message = str(error.orig.args[-1]) if error.orig is not None and error.orig.args else ""
    return message or type(error.orig).__name__


def describe(error: DatabaseError) -> str:
    """The database's number and message, without values."""
    if isinstance(error, PoolTimeout):
        return "all connections are in use"
    number, text = number_of(error), message_of(error)
    if sqlite_code(error) is None and number not in QUOTES_NAMES:
        text = QUOTED.sub(lambda found: f"'…'{found['key'] or ''}", text, count=1)
    return f"{number} {text}" if number else text


def left_nothing(error: DatabaseError) -> bool:
    """True if the transaction certainly left nothing. If the connection was lost or the statement
    ended at its deadline, that may have been the commit."""
    unknown = classify(error) in (Kind.ABSENCE, Kind.TOO_LONG)
    return isinstance(error, PoolTimeout) or not unknown


def refusal_of(kind: Kind) -> DomainError:
    """The error of the domain with which people are answered."""
    match kind:
        case Kind.BUSY | Kind.DEADLOCK:
            return Unavailable(N_("Others are saving at the moment. Try again in a moment."))
        case Kind.TOO_LONG:
            return TooLong()
        case Kind.LOCK:
            return Locked()
        case Kind.FULL:
            return NoSpace()
        case Kind.REFUSED:
            return Refused()
        case Kind.IN_USE:
            return Conflict(N_("Other entries refer to this. Remove them first."))
        case Kind.GONE:
            return Conflict(N_("Something that this refers to does not exist any more."))
        case Kind.FAULT:
            return Fault()
        case _:
            return Unavailable()


def refuse(error: DatabaseError, consequence: str = "", is_change: bool = False) -> DomainError:
    """Log an error, and return the error of the domain with which people are answered."""
    db.session.rollback()
    report(error, consequence)
    kind = classify(error)
    return ChangeTooLong() if is_change and kind is Kind.TOO_LONG else refusal_of(kind)


@contextmanager
def tolerated(consequence: str) -> Iterator[None]:
    """Log an error of the database instead of raising it, for work that nobody asked for.
    `consequence` says what was not done."""
    try:
        yield
    except Locked:  # reported already
        log.warning("%s", consequence)
    except DATABASE_ERRORS as error:
        db.session.rollback()
        report(error, consequence)


def unless_too_long(read: Callable[[], T], otherwise: Callable[[], T], consequence: str = "") -> T:
    """What `read` returns, or what `otherwise` returns if a statement of it takes too long, which
    is reported if it has a consequence."""
    try:
        return read()
    except DATABASE_ERRORS as error:
        db.session.rollback()
        if classify(error) is not Kind.TOO_LONG:
            raise
        if consequence:
            report(error, consequence)
    return otherwise()


def close_session(*_error: object) -> None:
    """Give the connection back after a response or a turn of a loop: that it was lost since changes
    neither."""
    if db.session.registry.has():
        with tolerated("a connection could not be given back"):
            db.session.close()


def report(error: DatabaseError, consequence: str = "") -> None:
    """Log an error with the database's own words, and a fault with its trace. `consequence` says
    what was not done."""
    kind = classify(error)
    parts = [consequence, kind.value, describe(error)]
    if kind is not Kind.ABSENCE:
        parts.append(statement_of(error))
    text = ": ".join(part for part in parts if part)
    if kind is Kind.FAULT:
        # The exception itself would show the message with its values.
        shown = RuntimeError(describe(error))
        log.error("%s", text, exc_info=(type(error), shown, error.__traceback__))
    elif kind in (Kind.REFUSED, Kind.FULL, Kind.ABSENCE):
        log.error("%s", text)
    else:
        log.warning("%s", text)
    if is_lasting(error) and (note := current_app.extensions.get(ON_REFUSAL)):
        note(number_of(error))


def is_lasting(error: DatabaseError) -> bool:
    """True for an error that only an operator can mend: a refusal, a full disk, or a fault that is
    not one of values, such as a missing table, column or index."""
    kind = classify(error)
    of_values = isinstance(error, DataError | IntegrityError)
    return kind in (Kind.REFUSED, Kind.FULL) or (kind is Kind.FAULT and not of_values)


def on_refusal(app: Flask, note: Callable[[int], object]) -> None:
    """Let another package note the number of each lasting error."""
    app.extensions[ON_REFUSAL] = note


def statement_of(error: Exception) -> str:
    """The statement with its placeholders, on one line."""
    return one_line((isinstance(error, StatementError) and error.statement) or "")


def one_line(statement: str) -> str:
    """The beginning of a statement, on one line."""
    return " ".join(statement.split())[:STATEMENT_LENGTH]


def violates(error: IntegrityError, name: str) -> bool:
    """True if a statement violated the unique constraint or index, or the primary key, of this
    name. MariaDB reports the name (PRIMARY for every primary key), SQLite the columns."""
    reported = str(error.orig.args[-1]) if error.orig is not None and error.orig.args else ""
    constraint = find_constraint(name)
    if found := DUPLICATE.search(reported):
        return found[1] == ("PRIMARY" if isinstance(constraint, PrimaryKeyConstraint) else name)
    columns = ", ".join(str(column) for column in constraint.columns)
    return reported == f"UNIQUE constraint failed: {columns}"


def find_constraint(name: str) -> PrimaryKeyConstraint | UniqueConstraint | Index:
    """Find a constraint or unique index of the models by its name; LookupError if there is none."""
    for table in db.metadata.tables.values():
        for found in (*table.constraints, *table.indexes):
            if isinstance(found, UNIQUE) and found.name == name:
                return found
    raise LookupError(name)
