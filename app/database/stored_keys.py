"""Keys that rows store for search and sort, brought up to the rules of this release: after an
upgrade, and in rows that the previous release wrote during it. A package registers its own in its
init_app."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from flask import Flask, current_app
from sqlalchemy import TextClause, func, select, text, update

from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Locked

BATCH = 500
AT_ONCE = 1000  # rows of a command, which may hold them for longer
EXTENSION = "gazetteer-stored-keys"

Report = Callable[[str, int, int], object]  # of what so many rows are done, of how many
Store = Callable[..., object]  # calls the function that it is given, now or in a while


def no_report(_what: str, _done: int, _total: int) -> None:
    """For those who do not want to know."""


class Refreshable(Protocol):
    """What a table derives from the rows of `model`, some at a time."""

    name: str
    model: Any

    def refresh_batch(self, after: int, most: int, store: Store) -> int | None:
        """Refresh what belongs to so many rows behind an id, of which `store` calls the service
        that writes; returns the last id, or None at the end."""


class StoredKeys:
    """The keys of a table, which `compute` returns by name for the values of some columns."""

    def __init__(self, model: Any, columns: Sequence[str], compute: Callable[..., Any]) -> None:
        self.name = f"search keys of {model.__tablename__}"
        self.model, self.columns, self.compute = model, columns, compute
        names = (*columns, *compute(*[""] * len(columns)))
        self.query = select(model.id, *(getattr(model, name) for name in names))

    def changed(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """The keys of those rows that have others, with their ids."""
        found, first = [], len(self.columns) + 1
        for row in rows:
            right = self.compute(*row[1:first])
            if tuple(right.values()) != row[first:]:
                found.append({"id": row.id, **right})
        return found

    def refresh_batch(self, after: int, most: int, store: Store) -> int | None:
        """Each batch is a short transaction; rows that are locked now are left to the next time."""
        query = self.query.where(self.model.id > after).order_by(self.model.id).limit(most)
        rows = db.session.execute(query).all()
        db.session.rollback()
        if changes := self.changed(rows):
            # What is renamed in the meantime is compared again the next time.
            store(store_keys, self.model, changes)
        return rows[-1].id if len(rows) == most else None


class KeyWalk:
    """Refreshes the keys of a table again and again, a batch at a time: 170,000 rows within an
    hour."""

    def __init__(self, keys: Refreshable) -> None:
        self.keys, self.last = keys, 0

    def step(self) -> None:
        """Refresh the next batch."""
        self.last = self.keys.refresh_batch(self.last, BATCH, store_now) or 0


def register(app: Flask, keys: Refreshable) -> None:
    app.extensions.setdefault(EXTENSION, []).append(KeyWalk(keys))


def refresh_all(report: Report = no_report) -> None:
    """Refresh the keys of all tables, before a new release answers."""
    for walk in current_app.extensions[EXTENSION]:
        refresh(walk.keys, report)


def refresh(keys: Refreshable, report: Report = no_report) -> None:
    """Refresh the keys of a table, and report after each batch how many rows are done. An
    interrupted run may be repeated: what is right already is not stored again."""
    total = db.session.scalar(select(func.count()).select_from(keys.model)) or 0
    last: int | None = 0
    done = 0
    with storing_in_thread() as store:
        while last is not None:
            last = keys.refresh_batch(last, AT_ONCE, store)
            report(keys.name, min(done, total), total)  # the last batch is being stored
            done += AT_ONCE
    report(keys.name, total, total)


def store_now(service: Callable[..., object], *values: Any) -> None:
    with suppress(Locked):
        service(*values)


@contextmanager
def storing_in_thread() -> Iterator[Store]:
    """Stores a batch while the next one is read and its keys are computed, which takes as long."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    before: list[Future[None]] = []

    def store_in_context(*values: Any) -> None:
        with app.app_context():
            store_now(*values)

    def store(*values: Any) -> None:
        if before:
            before.pop().result()
        before.append(thread.submit(store_in_context, *values))

    with ThreadPoolExecutor(1) as thread:
        yield store
        if before:
            before.pop().result()


def step() -> None:
    """Refresh the next batch of each table; the clock calls it."""
    for walk in current_app.extensions[EXTENSION]:
        walk.step()


@unrecorded
def store_keys(model: Any, changes: list[dict[str, Any]]) -> None:
    update_rows(model, changes)


def update_rows(model: Any, changes: list[dict[str, Any]]) -> None:
    """Update rows by their primary key, within a transaction."""
    if not changes:
        return
    if db.engine.dialect.name == "mysql":
        rows = json.dumps([list(change.values()) for change in changes], ensure_ascii=False)
        db.session.execute(update_from_json(model, list(changes[0])), {"rows": rows})
    else:
        db.session.execute(update(model), changes)


def update_from_json(model: Any, names: Sequence[str]) -> TextClause:
    """MariaDB's UPDATE of all rows of a JSON array, whose elements are arrays of the values of
    these columns. One statement a row, which is all that the driver can do, takes five times as
    long."""
    table, dialect = model.__table__, db.engine.dialect
    columns = ", ".join(
        f"{name} {table.c[name].type.compile(dialect)} PATH '$[{number}]'"
        for number, name in enumerate(names)
    )
    same = [f"{table.name}.{name} = new.{name}" for name in names]
    keys = [each for name, each in zip(names, same, strict=True) if name in table.primary_key.c]
    values = [each for each in same if each not in keys]
    return text(
        f"UPDATE JSON_TABLE(:rows, '$[*]' COLUMNS ({columns})) AS new"  # noqa: S608 - our names
        f" STRAIGHT_JOIN {table.name} ON {' AND '.join(keys)} SET {', '.join(values)}"
    )
