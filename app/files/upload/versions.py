"""Which versions new files are, for all files of a transaction with few queries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Select, and_, func, or_, select, update

from app.database.engine import db
from app.files.models import File
from app.files.names import numbered
from app.files.queries import Conditions
from app.files.search_keys import keys
from app.history.queries import is_created_in
from app.times import now

Path = tuple[str, str]  # folder and name


@dataclass
class LastVersion:
    """The last version of a path, and the current one, which may be older or None."""

    number: int
    sent_path: str
    current: File | None


def last_and_current(same: Conditions) -> Select[File]:
    """Of each name the last version and the current one, of however many it has."""
    numbers = select(File.name, func.max(File.version).label("last")).where(*same)
    of_name = numbers.group_by(File.name).subquery()
    is_last = and_(File.name == of_name.c.name, File.version == of_name.c.last)
    is_current = and_(File.replaced_at.is_(None), File.removed_at.is_(None))
    rows = select(File).outerjoin(of_name, is_last).order_by(File.version)
    return rows.where(*same, or_(of_name.c.name.is_not(None), is_current))


class Versions:
    """The versions of the paths of an owner, within a running service."""

    def __init__(self, owner_id: int, batch_id: str | None = None) -> None:
        self.owner_id, self.batch_id = owner_id, batch_id
        self.last: dict[Path, LastVersion | None] = {}
        self.replaced: list[Path] = []  # paths whose current version in the database is replaced
        self.repeated: dict[File, File] = {}  # rows that are there already, and those that are

    def insert(self, rows: Sequence[File]) -> list[File]:
        """Insert rows as the next versions of their paths. Returns them without those for which
        there is no name left, and without the repeated ones."""
        self.read((row.folder, row.name) for row in rows)
        rows = [row for row in rows if self.add(row)]
        for same in self.by_folder(self.replaced):
            # The versions of a removed file stay as they are, so that it can be restored.
            current = (*same, File.replaced_at.is_(None), File.removed_at.is_(None))
            replace = update(File).where(*current).values(replaced_at=now())
            db.session.execute(replace.execution_options(synchronize_session=False))
        db.session.add_all(rows)
        db.session.flush()
        return rows

    def read(self, paths: Iterable[Path]) -> None:
        """Read the last versions of these paths."""
        unknown = [path for path in dict.fromkeys(paths) if path not in self.last]
        self.last.update(dict.fromkeys(unknown))
        for same in self.by_folder(unknown):
            for row in db.session.scalars(last_and_current(same)):
                before = self.last[row.folder, row.name]
                is_current = row.replaced_at is None and row.removed_at is None
                current = row if is_current else before.current if before else None
                self.last[row.folder, row.name] = LastVersion(row.version, row.sent_path, current)

    def by_folder(self, paths: Iterable[Path]) -> Iterator[Conditions]:
        """For each folder the condition for the versions of some paths in it, for which both
        databases use the index of versions."""
        for folder, group in groupby(sorted(set(paths)), key=itemgetter(0)):
            names = [name for _folder, name in group]
            yield File.owner_id == self.owner_id, File.folder == folder, File.name.in_(names)

    def add(self, row: File) -> bool:
        """Make a row the version after the last one of its path. If that was sent under another
        name, which was changed into this one, it is another file: then the name gets a number.
        False if all these names are taken, or if it is repeated."""
        sent, path = row.sent_path, (row.folder, row.name)
        if not self.is_free(path, sent):
            paths = [(row.folder, name) for name in numbered(row.name)]
            self.read(paths)
            free = next((path for path in paths if self.is_free(path, sent)), None)
            if free is None:
                return False
            path = free
        last = self.last[path]
        if last and last.current and self.is_repetition(row, last.current):
            self.repeated[row] = last.current
            return False
        row.name = path[1]
        row.version = 1 + (last.number if last else 0)
        row.sent_name = None if sent == row.path else sent
        for column, key in keys(row.folder, row.name).items():
            setattr(row, column, key)
        self.last[path] = LastVersion(row.version, sent, self.replace(row, path, last))
        return True

    def is_free(self, path: Path, sent: str) -> bool:
        """True if no file has this path, or those that were sent under the same name."""
        last = self.last[path]
        return last is None or last.sent_path == sent

    def is_repetition(self, row: File, current: File) -> bool:
        """True if the current version has the same content and was stored in the same batch: the
        response to that request was lost. Adopted files differ by their former names, by which the
        original's links find them."""
        if self.batch_id is None or current.id is None:
            return False
        if (current.sha256, current.former_name) != (row.sha256, row.former_name):
            return False
        return is_created_in("file", current.id, self.batch_id)

    def replace(self, row: File, path: Path, last: LastVersion | None) -> File:
        """Which is the current version once this row is there. An adopted file may be older than
        the one before."""
        current = last.current if last else None
        if current and row.created_at and (current.created_at or now()) > row.created_at:
            row.replaced_at = now()
            return current
        if current and current not in db.session:  # it is new too
            current.replaced_at = now()
        elif last is not None:
            self.replaced.append(path)
        return row
