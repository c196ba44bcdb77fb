"""Merging what a form changed with what others have changed since it was opened.

The base of both is the state that the form showed. The history says what it was: `before` of the
entries written since. The form carries a digest of that state, so a base that something changed
without an entry (the original program, or entries that were deleted) is noticed.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from app.cities.fields import CSV_FIELDS, FIELDS, Values, columns_of, values_of
from app.cities.name_locks import lock_names
from app.cities.rules import names_of
from app.history.queries import entries_since
from app.text import parse_integer

ENTRIES_MOST = 100  # of more the base is not looked for


@dataclass(frozen=True)
class Merge:
    """The values to save: mine where I changed a field, otherwise those that are saved.
    `conflicts` are the fields that others have changed too, to other values."""

    values: Values
    conflicts: Collection[str] = ()


def form_version(row: Any) -> str:
    """The state of a row that a form shows, as the form sends it back. The version alone is not
    enough: the original program changes a row without raising it."""
    return version_of_state(row.id, row.version, columns_of(values_of(row)))


def version_of_state(city_id: int, version: int, columns: dict[str, Any]) -> str:
    state = [city_id, version, *(columns[field.column] for field in CSV_FIELDS)]
    return f"{version}-{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]}"


def merge(row: Any, version: str, mine: Values) -> Merge:
    """Merge the values of a form with a locked row that has changed since. Without a base every
    field that differs is a conflict."""
    saved = values_of(row)
    # All names that may come out of it, before the first read of the transaction.
    lock_names(
        names_of({**saved, **{name: mine[name] for name in names}})
        for names in (("province",), ("city",), ("province", "city"))
    )
    base = find_base(row, version)
    if base is None:
        return Merge(mine, [name for name in mine if mine[name] != saved[name]])
    own = {name: mine[name] for name in mine if mine[name] != base[name]}
    conflicts = [name for name in own if saved[name] not in (base[name], own[name])]
    return Merge({**saved, **own}, conflicts)


def find_base(row: Any, version: str) -> Values | None:
    """The values that the form showed; None if the history does not have them."""
    number = parse_integer(version.partition("-")[0], 0, row.version)
    if number is None:
        return None
    entries = entries_since("city", row.id, number, ENTRIES_MOST)
    values = values_of(row)
    for entry in reversed(entries):
        before = json.loads(entry.before or "{}")
        values |= {field.name: before[field.name] for field in FIELDS if field.name in before}
    is_base = version_of_state(row.id, number, columns_of(values)) == version
    return values if is_base else None
