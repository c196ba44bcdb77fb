"""Keys that rows store for search and sort, brought up to the rules of this release: after an
upgrade, and in rows that the previous release wrote during it. A package registers its own in its
init_app."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from flask import Flask, current_app
from sqlalchemy import select, update

from app.concurrency import yield_to_hub
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Locked

BATCH = 500
EXTENSION = "gazetteer-stored-keys"


class Refreshable(Protocol):
    """What a table derives from others or from its own columns, for all rows or some at a time."""

    def refresh(self) -> None: ...

    def refresh_batch(self, after: int) -> int | None: ...


class StoredKeys:
    """The keys of a table, which `compute` returns by name for the values of some columns."""

    def __init__(self, model: Any, columns: Sequence[str], compute: Callable[..., Any]) -> None:
        self.model, self.columns, self.compute = model, columns, compute
        names = (*columns, *compute(*[""] * len(columns)))
        self.query = select(model.id, *(getattr(model, name) for name in dict.fromkeys(names)))

    def changed(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """The keys of those rows that have others, with their ids."""
        found = []
        for row in rows:
            right = self.compute(*(getattr(row, name) for name in self.columns))
            if any(getattr(row, name) != value for name, value in right.items()):
                found.append({"id": row.id, **right})
        return found

    def refresh(self) -> None:
        """Store the keys of all rows that have others. A batch at a time, each in a short
        transaction; rows that are locked now are left to the next time."""
        last: int | None = 0
        while last is not None:
            last = self.refresh_batch(last)
            yield_to_hub()

    def refresh_batch(self, after: int) -> int | None:
        """Refresh the rows behind an id; returns the last id, or None at the end."""
        query = self.query.where(self.model.id > after).order_by(self.model.id).limit(BATCH)
        rows = db.session.execute(query).all()
        db.session.rollback()
        if changes := self.changed(rows):
            # What is renamed in the meantime is compared again the next time.
            with suppress(Locked):
                store_keys(self.model, changes)
        return rows[-1].id if len(rows) == BATCH else None


class KeyWalk:
    """Refreshes the keys of a table again and again, a batch at a time: 170,000 rows within an
    hour."""

    def __init__(self, keys: Refreshable) -> None:
        self.keys, self.last = keys, 0

    def step(self) -> None:
        """Refresh the next batch."""
        self.last = self.keys.refresh_batch(self.last) or 0


def register(app: Flask, keys: Refreshable) -> None:
    app.extensions.setdefault(EXTENSION, []).append(KeyWalk(keys))


def refresh_all() -> None:
    """Refresh the keys of all tables, before a new release answers."""
    for walk in current_app.extensions[EXTENSION]:
        walk.keys.refresh()


def step() -> None:
    """Refresh the next batch of each table; the clock calls it."""
    for walk in current_app.extensions[EXTENSION]:
        walk.step()


@unrecorded
def store_keys(model: Any, changes: list[dict[str, Any]]) -> None:
    update_keys(model, changes)


def update_keys(model: Any, changes: list[dict[str, Any]]) -> None:
    """Update rows by id, within a transaction."""
    if changes:
        db.session.execute(update(model), changes)
