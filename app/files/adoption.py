"""Adopting the files of the original program: a folder, with or without the table that maps
original names to stored names. Everything is copied; the folder stays as it is."""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from urllib.parse import quote

from app.actor import Actor, Role
from app.auth.models import Person
from app.auth.queries import first_administrator
from app.current import settings
from app.database.service import permitted
from app.disk import has_space
from app.errors import DomainError, Invalid, NoSpace, NotFound, Text, Unavailable
from app.files.models import EXTENSION_LENGTH, FOLDER_LENGTH, NAME_LENGTH, SENT_LENGTH
from app.files.names import CleanPath, clean_path, cut, is_control, printable
from app.files.rules import check_file
from app.files.storage.folder import Incoming, read_blocks
from app.files.upload.sent_names import decode_names
from app.files.upload.services import AlreadyStored, ReceivedFile, columns_of, store
from app.history.services import new_batch_id
from app.text import N_

# Of a pair of columns: rows that name a file, rows with equal extensions, and (original name,
# stored name) of all rows.
Candidate = tuple[int, int, list[tuple[str, str]]]

# What is wrong with a file, and why.
Flaws = dict[str, Text]

SURROGATE = re.compile("[\udc80-\udcff]")

ADOPTED, FLAGGED, PRESENT, SKIPPED = "adopted", "to check", "already here", "skipped"


@dataclass(frozen=True)
class SourceFile:
    """A file to adopt: its path, its name, its stored name if the original's table had one, and
    why it cannot be copied."""

    path: Path
    name: str
    former_name: str | None = None
    problem: Text = ""


@dataclass(frozen=True)
class AdoptionResult:
    name: str
    state: str
    reason: str = ""


def default_owner() -> Person:
    """Who owns the files if the operator names nobody: the first administrator."""
    person = first_administrator()
    if person is None:
        raise NotFound(N_("There is no administrator. Name a person with --owner."))
    return person


@permitted(Role.ADMIN)
def adopt_files(
    actor: Actor, folder: Path, mapping: Path | None, owner_id: int
) -> Iterator[AdoptionResult]:
    """Adopt the files one after another, as one batch. A second run copies nothing."""
    sources = list(read_folder(folder) if mapping is None else read_mapping(folder, mapping))
    names = decode_paths([source.name for source in sources])
    adoption = Adoption(actor, owner_id, new_batch_id())
    for source, name in zip(sources, names, strict=True):
        yield adoption.adopt(source, name)


@dataclass
class Adoption:
    """One run of the command."""

    actor: Actor
    owner_id: int
    batch_id: str
    # The name of the file that was the first with a path.
    first: dict[str, str] = field(default_factory=dict)

    def adopt(self, source: SourceFile, name: str) -> AdoptionResult:
        """Copy one file. What an upload would be refused for is stored too, with that as its
        flaw."""
        flaws: Flaws = {}
        try:
            if source.problem:
                raise NotFound(source.problem)
            self.copy(source, self.path_of(source, name, flaws), flaws)
            state = FLAGGED if flaws else ADOPTED
        except (NoSpace, Unavailable):
            raise
        except AlreadyStored:
            state = PRESENT
        except (DomainError, OSError) as error:
            reason = error.message if isinstance(error, DomainError) else error.strerror or ""
            return AdoptionResult(printable(name), SKIPPED, reason)
        return AdoptionResult(printable(name), state, " ".join(map(str, flaws.values())))

    def path_of(self, source: SourceFile, name: str, flaws: Flaws) -> CleanPath:
        """The path of a file, with another name if today's rules would refuse its own. Names that
        differ on the disk are never versions of one file, also if they are the same text."""
        try:
            path = clean_path(name, with_folder=True)
        except DomainError as error:
            path = clean_path(safe_path(name), with_folder=True)
            flaws["name"] = N_("Stored as %(path)s. %(reason)s", path=path.path, reason=error)
            path = replace(path, sent=printable(name)[:SENT_LENGTH])
        if self.first.setdefault(path.sent, source.name) != source.name:
            return replace(path, sent=percent_coded(source.name)[:SENT_LENGTH])
        return path

    def copy(self, source: SourceFile, path: CleanPath, flaws: Flaws) -> None:
        """Store the file, unless the same content is there already under this name."""
        status, limit = source.path.stat(), settings().upload_max_bytes
        size = status.st_size
        if not has_space(settings().files_dir, size):
            raise NoSpace()
        incoming = Incoming(settings().files_dir, max(size, limit))
        try:
            for block in read_blocks(source.path):
                incoming.write(block)
            if size > limit:
                flaws["size"] = N_("It is larger than an upload may be.")
            content_type = content_type_of(path, incoming, flaws)
            columns = {
                **columns_of(path, incoming, content_type, self.owner_id),
                "created_at": datetime.fromtimestamp(status.st_mtime, UTC),
                "former_name": source.former_name,
                "flaw": next(iter(flaws), None),
            }
            received = ReceivedFile(source.name, incoming, path=path, columns=columns)
            store(self.actor, [received], self.batch_id, once=True)
        finally:
            incoming.discard()
        if received.error:
            raise received.error


def decode_paths(paths: Sequence[str]) -> list[str]:
    """Names on a disk as text. Bytes that are not UTF-8 are surrogates in them; the parts of paths
    that have some are decoded together, and stay as they are if that fails."""
    parts = {part for path in paths for part in path.split("/") if SURROGATE.search(part)}
    raw = [part.encode("utf-8", "surrogateescape") for part in parts]
    names = decode_names(raw)
    texts = {part: name.text for part, name in zip(parts, names, strict=True) if name}
    return ["/".join(texts.get(part, part) for part in path.split("/")) for path in paths]


def content_type_of(path: CleanPath, incoming: Incoming, flaws: Flaws) -> str:
    try:
        return check_file(path, incoming, settings().upload_extensions)
    except Invalid as error:
        flaws["content"] = error.message
        return "application/octet-stream"


def safe_path(name: str) -> str:
    """A path that today's rules accept: percent codes for what may not be in a name, shortened."""
    parts = [safe_name(part) for part in name.split("/") if part.strip(" .")]
    while len("/".join(parts[:-1])) > FOLDER_LENGTH:
        del parts[0]
    return "/".join(parts) or "unnamed"


def safe_name(part: str) -> str:
    plain = "".join(percent_coded(c) if is_control(c) or c == "\\" else c for c in part)
    stem, dot, extension = plain.rpartition(".")
    return cut(stem, dot + extension) if len(extension) <= EXTENSION_LENGTH else cut(plain)


def percent_coded(name: str) -> str:
    return quote(name, safe="/", errors="surrogateescape")


def entries(folder: Path) -> Iterator[tuple[Path, Text]]:
    """What is below the folder, and why it cannot be copied if it is not a file. Links are not
    followed."""
    for path in sorted(folder.rglob("*")):
        problem: Text = ""
        try:
            mode = path.lstat().st_mode
            if S_ISDIR(mode):
                os.scandir(path).close()
                continue
            if not S_ISREG(mode):
                problem = N_("a link") if S_ISLNK(mode) else N_("not a regular file")
        except OSError as error:
            problem = error.strerror or ""
        yield path, problem


def read_folder(folder: Path) -> Iterator[SourceFile]:
    """Every file below the folder, named by its path there."""
    for path, problem in entries(folder):
        yield SourceFile(path, path.relative_to(folder).as_posix(), problem=problem)


def read_mapping(folder: Path, mapping: Path) -> Iterator[SourceFile]:
    """Every row of the original's table, then the files without a row, under their own names."""
    found = {
        path: problem for path, problem in entries(folder) if problem or not path.samefile(mapping)
    }
    stored = {path.name: path for path in found}
    rows = find_mapping(mapping, set(stored))
    for name, stored_name in rows:
        path = stored.get(stored_name, folder / stored_name)
        missing = N_("its file %(name)s is missing", name=printable(stored_name))
        yield SourceFile(path, name, stored_name[:NAME_LENGTH], found.get(path, missing))
    in_table = {stored.get(stored_name) for _name, stored_name in rows}
    for path in sorted(found.keys() - in_table):
        yield SourceFile(path, path.name, problem=found[path])


def find_mapping(mapping: Path, stored: set[str]) -> list[tuple[str, str]]:
    """Original and stored names. The names of the table and its columns do not matter: the column
    of stored names is the one whose values are files of the folder, and the original name is the
    text in another column, with the same extension if there are several such columns."""
    address = f"{mapping.resolve().as_uri()}?mode=ro"
    best: Candidate = (0, 0, [])
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            for table in tables(connection):
                best = max([best, *candidates(connection, table, stored)], key=lambda c: c[:2])
    except sqlite3.Error:
        raise Invalid(N_("%(path)s is not a SQLite database.", path=mapping)) from None
    if not best[0]:
        raise Invalid(N_("No table in %(path)s names files of this folder.", path=mapping))
    return best[2]


def tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in connection.execute(query)]


def candidates(connection: sqlite3.Connection, table: str, stored: set[str]) -> Iterator[Candidate]:
    """For each pair of columns: how many rows name a file of the folder, in how many of them both
    names have the same extension, and the names."""
    quoted = table.replace('"', '""')
    rows = connection.execute(f'SELECT * FROM "{quoted}"').fetchall()  # noqa: S608 - quoted above
    columns = range(len(rows[0]) if rows else 0)
    for column, other in ((a, b) for a in columns for b in columns if a != b):
        texts = [(row[other], row[column]) for row in rows
                 if isinstance(row[other], str) and isinstance(row[column], str)]  # fmt: skip
        pairs = [(name, re.split(r"[/\\]", value)[-1]) for name, value in texts]
        known = [pair for pair in pairs if pair[1] in stored]
        alike = sum(
            Path(name).suffix.lower() == Path(value).suffix.lower() for name, value in known
        )
        yield len(known), alike, pairs
