"""What one line of an import would do to the register, as functions on plain values."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from app.cities.fields import CITY, DETAILS, FIELDS, Values
from app.cities.importing.damage import find_damage
from app.cities.importing.models import ImportLine, LineKind
from app.cities.importing.reading.header import SEPARATORS
from app.cities.importing.reading.tables import Line
from app.cities.name_locks import digest_of
from app.cities.rules import FieldErrors, Pair, examine_city, names_of, pair_of, search_keys
from app.history.services import changed_fields, dump
from app.text import N_, Message, dump_messages, excerpt

# The cities of the file so far, by digests of their names: the number of the line, and its values.
Seen = dict[bytes, tuple[int, Values]]
StagedValues = dict[str, Any]
# All rows have all columns, so that many are one INSERT.
EMPTY_ROW: StagedValues = {
    **dict.fromkeys(ImportLine.__table__.columns.keys()),
    "kind": LineKind.SAME,
    "cells": {},
    "surplus": False,
    "faults": "",
    "reason": "",
}

# What is wrong with cells of a workbook, by the names of app/workbooks/reading.py.
PROBLEMS: dict[str, Callable[[str], Message]] = {
    "date": lambda text: N_(
        "“%(typed)s” is a date. Format the cell as a number or as text and enter its value again.",
        typed=excerpt(text),
    ),
    "error": lambda text: N_(
        "“%(typed)s” is the error of a formula. Correct the formula, or write the value.",
        typed=excerpt(text),
    ),
    "formula": lambda text: N_(
        "“%(typed)s” is a formula without a stored value. Open the file in a spreadsheet program "
        "and save it there, or write the value.",
        typed=excerpt(text),
    ),
    "undecodable": lambda text: N_(
        "“%(typed)s” is not text in the encoding of the file. Correct the line, or have the file "
        "read in another encoding.",
        typed=excerpt(text),
    ),
    "merged": lambda _: N_(
        "This cell is merged with another one, which has the value. Unmerge them and write the "
        "value into each."
    ),
}


class Known(NamedTuple):
    """A row of the register as it is now."""

    id: int
    version: int
    values: Values


class Examined(NamedTuple):
    """A line with the values of the fields that the file has, and what is wrong, under "" for a
    fault of the whole line. Without faults it has a pair of names and their digest."""

    line: Line
    given: Values
    faults: FieldErrors
    pair: Pair = ("", "")
    digest: bytes = b""


def examine(line: Line) -> Examined:
    """What a line says, whatever the register has."""
    given, faults = examine_line(line)
    if faults:
        return Examined(line, given, faults)
    pair = pair_of(*names_of(given))
    return Examined(line, given, faults, pair, digest_of(*pair))


def compare_line(examined: Examined, known: Mapping[Pair, list[Known]], seen: Seen) -> StagedValues:
    """The values of the line's staged row. A line that is accepted is added to `seen`."""
    line, given, faults, pair, digest = examined
    row = EMPTY_ROW | {"line": line.line}
    if faults:
        row |= refusal(faults, faults.values())
    elif digest in seen:
        row |= repeated(given, *seen[digest])
    else:
        row |= compare_with_register(given, known.get(pair, []))
    if row["kind"] == LineKind.REFUSED:
        return row | {"cells": shown_cells(line)}
    if digest not in seen:
        seen[digest] = line.line, given
        row["name_digest"] = digest
    return row


def shown_cells(line: Line) -> dict[str, str]:
    """The texts of a refused line, to be corrected; of long ones the beginning."""
    return {
        field.name: line.cells[field.name].strip()[: field.length]
        for field in FIELDS
        if field.name in line.cells
    }


def names_and_keys(values: Values) -> StagedValues:
    """The names by which the line is found in the register, and their keys."""
    province, city = names_of(values)
    return {"provincename": province, "cityname": city, **search_keys(province, city)}


def examine_line(line: Line) -> tuple[Values, FieldErrors]:
    """The values of the fields that the file has, and what is wrong, under "" for a fault of the
    whole line."""
    if line.surplus:
        surplus = N_(
            "This line has more cells than the header has columns. "
            "A name that contains what separates the columns needs quotation marks around it."
        )
        return {}, {"": surplus}
    values, faults = examine_city(line.cells)
    if faults and not line.problems and separators_in(line):
        other = N_("The cells of this line are not separated by the same characters as the header.")
        return {}, {"": other}
    damage = find_damage({name: line.cells[name] for name in faults if name in line.cells})
    problems = {name: PROBLEMS[found](line.cells[name]) for name, found in line.problems.items()}
    return values, faults | damage | problems


def separators_in(line: Line) -> bool:
    """True if all of a line is in one cell, with separators in it."""
    filled = [text for text in line.cells.values() if text.strip()]
    return len(line.cells) > len(filled) == 1 and any(map(filled[0].count, SEPARATORS))


def refusal(fields: Iterable[str], messages: Iterable[Message]) -> StagedValues:
    return {
        "kind": LineKind.REFUSED,
        "faults": ",".join(fields),
        "reason": dump_messages(messages),
    }


def repeated(given: Values, line: int, earlier: Values) -> StagedValues:
    """A city that is in the file already, further up."""
    differing = [
        field.name
        for field in DETAILS
        if field.name in given and given[field.name] != earlier.get(field.name)
    ]
    if differing:
        message = N_("Line %(line)s has the same city with other values.", line=str(line))
        return refusal(differing, [message])
    same = N_("The same as line %(line)s.", line=str(line))
    return unchanged(given) | {"reason": dump_messages([same])}


def compare_with_register(given: Values, found: list[Known]) -> StagedValues:
    """What the line does to the rows of the register that have its names. A column that the file
    lacks changes nothing."""
    if not found:
        return add(given)
    details = {field.name: given[field.name] for field in DETAILS if field.name in given}
    for row in found:
        if row.values | details == row.values:
            return unchanged(row.values)
    if len(found) > 1:
        message = N_(
            "There are %(count)s cities with this name; edit them in the register.",
            count=len(found),
        )
        return refusal([CITY.name], [message])
    [row] = found
    before, after = changed_fields(row.values, row.values | details)
    return {
        "kind": LineKind.CHANGED,
        "old_values": row.values,
        "new_values": row.values | details,
        "recorded_before": dump(before),
        "recorded_after": dump(after),
        **names_and_keys(row.values),
        "city_id": row.id,
        "city_version": row.version,
    }


def unchanged(values: Values) -> StagedValues:
    return {"kind": LineKind.SAME, "new_values": values, **names_and_keys(values)}


def add(given: Values) -> StagedValues:
    """A city that is not in the register yet; required fields must have a column."""
    missing = [field for field in FIELDS if field.required and field.name not in given]
    if missing:
        messages = (
            N_(
                "This city is new, but the file has no column “%(name)s” (or “%(header)s”).",
                name=field.label,
                header=field.headers[0],
            )
            for field in missing
        )
        return refusal([field.name for field in missing], messages)
    if damage := find_damage(given):
        return refusal(damage, damage.values())
    values: Values = {field.name: given.get(field.name) for field in FIELDS}
    return {
        "kind": LineKind.NEW,
        "new_values": values,
        "recorded_after": dump(values),
        **names_and_keys(values),
    }
