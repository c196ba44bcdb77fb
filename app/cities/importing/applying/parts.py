"""Pieces of the lines of an import: each is one short transaction of a job, so that others wait for
none of them, and a job that was killed goes on with the next one."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select, union_all, update

from app.cities.fields import FIELDS, Field
from app.cities.importing.models import ImportLine, LineKind, LineOutcome
from app.cities.models import City
from app.database.engine import db, release_connection
from app.database.limits import slices
from app.text import Message, dump_messages

LINES = 1000  # of one piece, at most
# For how long a piece holds its locks, and on SQLite keeps others from writing.
PART_SECONDS, LINES_LEAST = 0.3, 50
# The kinds of lines that change the register.
TAKEN = (LineKind.NEW, LineKind.CHANGED)


class Part(NamedTuple):
    """The lines of an import from one number to another, both included."""

    import_id: int
    first: int
    last: int

    def of(self, outcome: LineOutcome | None, *kinds: LineKind) -> ColumnElement[bool]:
        """The lines of these kinds of which this has become; None: nothing yet."""
        line = ImportLine
        return and_(
            line.import_id == self.import_id,
            line.line.between(self.first, self.last),
            line.kind.in_(kinds),
            line.outcome == outcome,
        )


def fitting_lines(lines: int, seconds: float) -> int:
    """How many lines the next piece has at most, after one of so many has taken so long: on a busy
    machine there are fewer."""
    return min(LINES, max(LINES_LEAST, int(lines * PART_SECONDS / max(seconds, 0.001))))


def next_part(
    import_id: int, after: int, lines: int | None = None, backwards: bool = False
) -> Part | None:
    """The next lines that change the register, at most so many, in the order of the file or
    backwards, after the one with this number; after 0 the first ones. None if there are no more."""
    most = lines or LINES
    number = ImportLine.line
    conditions = [ImportLine.import_id == import_id]
    if after:
        conditions.append(number < after if backwards else number > after)
    # By the index of each kind: the lines of all kinds may be a million between two of these.
    of_kinds = [
        select(number).where(*conditions, ImportLine.kind == kind)
        .order_by(number.desc() if backwards else number).limit(most).subquery()
        for kind in TAKEN
    ]  # fmt: skip
    found = union_all(*map(select, of_kinds)).subquery()
    order = found.c.line.desc() if backwards else found.c.line
    numbers = db.session.scalars(select(found.c.line).order_by(order).limit(most)).all()
    release_connection()
    return Part(import_id, min(numbers), max(numbers)) if numbers else None


def lock_changed(
    part: Part, outcome: LineOutcome | None, kinds: Iterable[LineKind], values: Any
) -> dict[int, int | None]:
    """Of these lines the numbers of those whose city is not as the line says: of its version and
    with these values of the line; with the id of the city, None if it is gone. Locks the cities of
    all of them until the commit."""
    line = ImportLine
    differs = or_(
        City.id.is_(None),
        City.version != line.city_version,
        # The original program changes rows without raising their version.
        *(getattr(City, field.column).is_distinct_from(staged(values, field)) for field in FIELDS),
    )
    query = select(line.line, City.id).outerjoin(City, City.id == line.city_id)
    query = query.where(part.of(outcome, *kinds), differs).with_for_update()
    return dict(db.session.execute(query).all())


def staged(values: Any, field: Field) -> Any:
    """A field of a line's values, as SQL."""
    value = values[field.name]
    return value.as_integer() if field.numeric else value.as_string()


def set_outcome(part: Part, numbers: Iterable[int], outcome: LineOutcome, reason: Message) -> None:
    """Write what became of some lines, and why."""
    values = {"outcome": outcome, "reason": dump_messages([reason])}
    for some in slices(numbers):
        lines = update(ImportLine).where(
            ImportLine.import_id == part.import_id, ImportLine.line.in_(some)
        )
        db.session.execute(lines.values(values).execution_options(synchronize_session=False))
