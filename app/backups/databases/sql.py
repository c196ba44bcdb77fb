"""The text that mariadb-dump writes: its statements, and the rows in them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from app.backups.archive.manifest import BadBackup
from app.text import N_

# Line ends within values are written as \n, so a statement ends where a line ends with ";".
END = b";\n"
# A text, or a number, NULL or 0x...: never a function or a query.
VALUE = rb"(?:'(?:[^'\\]++|\\.|'')*+'|[\w.+-]++)"
ROW = rb"\(" + VALUE + rb"(?:," + VALUE + rb")*+\)"
NAMES = rb"`\w+`(?:, ?`\w+`)*+"
INSERT = re.compile(rb"INSERT INTO `(\w+)` \((" + NAMES + rb")\) VALUES\s*")
ROWS = re.compile(ROW + rb"(?:,\s*" + ROW + rb")*+;\n", re.DOTALL)
CREATE = re.compile(rb"CREATE TABLE `(\w+)` \(\n")
one_row, one_value = re.compile(ROW, re.DOTALL), re.compile(VALUE, re.DOTALL)
# Settings of the session, to which whoever restores gives the same values.
SETTINGS = (b"/*!40", b"/*M!999999\\- enable the sandbox mode */", b"--")

UNEXPECTED = N_("The dump of the database has a statement that is not expected.")

# Receives the values of a row by the names of their columns.
TakeRow = Callable[[Mapping[str, str]], object]


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Split blocks into lines, each with its end."""
    begun: list[bytes] = []
    for block in blocks:
        *ended, last = block.split(b"\n")
        for line in ended:
            yield b"".join([*begun, line, b"\n"])
            begun.clear()
        begun.append(last)
    if any(begun):
        yield b"".join(begun)


def statements(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The statements that create tables and insert rows; BadBackup for any other."""
    begun: list[bytes] = []
    for line in lines_of(blocks):
        if not begun and (line == b"\n" or line.startswith(SETTINGS)):
            continue
        begun.append(line)
        if line.endswith(END):
            statement = b"".join(begun)
            begun.clear()
            if not CREATE.match(statement) and not is_insert(statement):
                raise BadBackup(UNEXPECTED)
            yield statement
    if begun:
        raise BadBackup(N_("The dump of the database is incomplete."))


def is_insert(statement: bytes) -> bool:
    """True for a statement that inserts plain values."""
    found = INSERT.match(statement)
    return found is not None and ROWS.fullmatch(statement, found.end()) is not None


class RowCounter:
    """Counts and hashes the rows of each table, and hands those of some tables on."""

    def __init__(self, taken: Mapping[str, TakeRow]) -> None:
        self.taken = taken
        self.tables: dict[str, int] = {}
        self.digests: dict[str, hashlib._Hash] = {}

    def count(self, statement: bytes) -> None:
        if created := CREATE.match(statement):
            self.add_table(created[1].decode())
        elif inserted := INSERT.match(statement):
            name = inserted[1].decode()
            self.add_table(name)
            columns = inserted[2].decode().replace("`", "").replace(" ", "").split(",")
            self.count_rows(name, columns, statement, inserted.end())

    def add_table(self, name: str) -> None:
        self.tables.setdefault(name, 0)
        self.digests.setdefault(name, hashlib.sha256())

    def count_rows(self, name: str, columns: list[str], statement: bytes, start: int) -> None:
        digest, take = self.digests[name], self.taken.get(name)
        for row in one_row.finditer(statement, start):
            digest.update(row[0])
            self.tables[name] += 1
            if take:
                values = map(plain, one_value.findall(row[0][1:-1]))
                take(dict(zip(columns, values, strict=True)))

    @property
    def hashes(self) -> dict[str, str]:
        return {name: digest.hexdigest() for name, digest in self.digests.items()}


def plain(value: bytes) -> str:
    """A value without quotes; only those without escapes are used."""
    return value.strip(b"'").decode("utf-8", "replace")
