"""What one line of an import would do to the register, as functions on plain values."""

from typing import Any, NamedTuple

from app.cities.importing.csv_table import Line
from app.cities.importing.models import KEPT_LENGTH, NUMBER_LENGTH, Kind
from app.cities.rules import CityFields, Faults, examine_city, search_keys
from app.text import N_, dump_messages

Pair = tuple[str, str]
# The pairs of the file that were taken so far: the line and its number.
Seen = dict[Pair, tuple[int, int | None]]
StagedValues = dict[str, Any]


class Known(NamedTuple):
    """A row of the register as it is now."""

    id: int
    version: int
    province: str | None
    city: str | None
    users: int | None


def compare_line(line: Line, known: dict[Pair, list[Known]], seen: Seen) -> StagedValues:
    """The values of the line's staged row; a line that is taken is noted in `seen`."""
    row = blank_row(line)
    fields = examine_line(line)
    if not isinstance(fields, CityFields):
        return row | refusal(fields)
    pair = (fields.province, fields.city)
    number = None if line.number is None else fields.users
    if pair in seen:
        return row | repeated(number, *seen[pair])
    row |= compare_with_register(fields, number, known.get(pair, []))
    if row["kind"] != Kind.REFUSED:
        seen[pair] = line.line, number
    return row


def blank_row(line: Line) -> StagedValues:
    """The line as typed, not judged yet. All rows have all columns, so that many are one insert."""
    return {
        "line": line.line,
        "kind": Kind.SAME,
        "provincename": line.province[:KEPT_LENGTH],
        "cityname": line.city[:KEPT_LENGTH],
        "number_text": line.number if line.number is None else line.number[:NUMBER_LENGTH],
        "surplus": line.surplus,
        "usernumber": None,
        "province_key": None,
        "city_key": None,
        "search_key": None,
        "city_id": None,
        "city_version": None,
        "old_number": None,
        "field": "",
        "reason": "",
    }


def examine_line(line: Line) -> CityFields | Faults:
    """The rules of a city; without a column for the number that field has nothing to be checked."""
    if line.surplus:
        return {
            "": N_(
                "This line has more cells than the header has columns. "
                "A name with a comma needs quotation marks around it."
            )
        }
    return examine_city(line.province, line.city, 0 if line.number is None else line.number)


def refusal(faults: Faults) -> StagedValues:
    """A line that is not taken, and why; a fault of the whole line has no field."""
    return {
        "kind": Kind.REFUSED,
        "field": ",".join(faults),
        "reason": dump_messages(faults.values()),
    }


def repeated(number: int | None, line: int, earlier: int | None) -> StagedValues:
    """A city that stood further up in the file already."""
    if number == earlier:
        same = N_("The same as line %(line)s.", line=line)
        return {"usernumber": number, "reason": dump_messages([same])}
    return refusal(
        {"number": N_("Line %(line)s has the same city with another number.", line=line)}
    )


def compare_with_register(
    fields: CityFields, number: int | None, found: list[Known]
) -> StagedValues:
    """The line and what the register has under its names."""
    if not found:
        return add(fields, number)
    equal = [row for row in found if number is None or row.users == number]
    if equal:
        return as_registered(equal[0], equal[0].users)
    if len(found) > 1:
        return refusal(
            {"city": N_("Stands %(count)s times in the register; edit it there.", count=len(found))}
        )
    row = found[0]
    return as_registered(row, number) | {
        "kind": Kind.CHANGED,
        **search_keys(row.province, row.city),
        "city_id": row.id,
        "city_version": row.version,
        "old_number": row.users,
    }


def add(fields: CityFields, number: int | None) -> StagedValues:
    """A city that is not in the register yet."""
    if number is None:
        return refusal(
            {"number": N_("This city is new, but the file has no column for the number of users.")}
        )
    return {
        "kind": Kind.NEW,
        "provincename": fields.province,
        "cityname": fields.city,
        "usernumber": number,
        **search_keys(fields.province, fields.city),
    }


def as_registered(row: Known, number: int | None) -> StagedValues:
    """The names as they stand in the register, which may be written in another way."""
    return {"provincename": row.province, "cityname": row.city, "usernumber": number}
