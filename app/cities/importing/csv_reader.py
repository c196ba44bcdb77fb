"""The records of a CSV file, whatever its columns are. A file comes from a person, who is told what
is wrong with it in one sentence; reading it stays cheap whatever is in it."""

import csv
import io
from collections.abc import Iterator
from itertools import chain

from flask_babel import gettext as _

from app.concurrency import yield_to_hub
from app.errors import Invalid

# Spreadsheets leave lines of nothing but commas; more than so many are no list of cities.
MOST_BLANK = 20_000
MOST_COLUMNS = 200
RECORD_LENGTH = 1_000_000  # characters; what is longer is not even taken apart
# Characters, about a millisecond of work. A line costs by itself as much as so many.
PAUSE_EVERY, LINE_COSTS = 100_000, 200


def refused(message: str) -> Invalid:
    """The refusal of a whole file."""
    return Invalid(fields={"file": message})


def records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line in which it begins. Lines that begin with # before the header
    tell where the data come from and are passed over, as blank ones are."""
    lines = Lines(data)
    passed, first = 0, ""
    for first in lines:
        if first.strip() and not first.lstrip('" ').startswith("#"):
            break
        passed, first = passed + 1, ""
        check_blank(passed, passed)
        lines.begin_record(passed + 1)
    reader = csv.reader(chain([first] if first else [], lines), strict=True)
    lines.begin_record(passed + 1)
    try:
        for cells in reader:
            check_width(lines.begins, len(cells))
            yield lines.begins, cells
            lines.begin_record(passed + reader.line_num + 1)
    except csv.Error as error:
        raise unreadable(lines.begins, error) from None


class Lines:
    """The lines of a file with their ends. They are decoded as they are read, with pauses in
    between: a small file may have millions of lines, and one line may be the whole file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        # newline="" ends a line at LF, CRLF and CR, and keeps them inside quoted cells.
        self.file = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
        self.since_pause = 0
        self.begin_record(1)
        if b"\0" in data:
            raise no_text(data[: data.index(b"\0")])

    def begin_record(self, line: int) -> None:
        """The lines that follow belong to another record."""
        self.begins, self.length = line, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self.file.readline(RECORD_LENGTH + 1)
        except UnicodeDecodeError:
            raise no_text(before_fault(self.data)) from None
        if not line:
            raise StopIteration
        self.length += len(line)
        check_length(self.begins, self.length)
        self.since_pause += LINE_COSTS + len(line)
        if self.since_pause > PAUSE_EVERY:
            self.since_pause = 0
            yield_to_hub()
        return line


def before_fault(data: bytes) -> bytes:
    """What stands before the first byte that is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data[: error.start]
    return data


def no_text(before: bytes) -> Invalid:
    """The refusal of a file that is not UTF-8 text from here on."""
    return refused(
        _(
            "Line %(line)s is not UTF-8 text. Save the file again as UTF-8; Excel calls it "
            "“CSV UTF-8 (Comma delimited)”.",
            line=count_line_ends(before) + 1,
        )
    )


def count_line_ends(data: bytes) -> int:
    """How many lines end here, at LF, CRLF or CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def unreadable(line: int, error: csv.Error) -> Invalid:
    """What the reader of the standard library did not take, in our words."""
    if "field limit" in str(error):
        return refused(
            _(
                "A cell that begins in line %(line)s or below has more than %(most)s characters. "
                "Perhaps a quotation mark at its end is missing.",
                line=line,
                most=f"{csv.field_size_limit():,}",
            )
        )
    return refused(
        _(
            "The quotation marks of the cells that begin in line %(line)s do not match. "
            "Text in quotation marks ends with one; one inside of it is written twice.",
            line=line,
        )
    )


def check_blank(line: int, blank: int) -> None:
    """Refuse a file of nothing but blank lines before it costs much."""
    if blank > MOST_BLANK:
        raise refused(
            _(
                "Up to line %(line)s there are more than %(most)s lines without a city. "
                "Delete them and save the file again.",
                line=line,
                most=f"{MOST_BLANK:,}",
            )
        )


def check_length(line: int, length: int) -> None:
    """Refuse a record of very many characters before it is taken apart into cells."""
    if length > RECORD_LENGTH:
        raise refused(
            _(
                "Line %(line)s is longer than %(most)s characters. "
                "Delete the columns that are not needed.",
                line=line,
                most=f"{RECORD_LENGTH:,}",
            )
        )


def check_width(line: int, count: int) -> None:
    """Refuse a record of very many cells, empty or not."""
    if count > MOST_COLUMNS:
        raise refused(
            _(
                "Line %(line)s has %(count)s cells; at most %(most)s can be read. "
                "Delete the columns that are not needed.",
                line=line,
                count=f"{count:,}",
                most=MOST_COLUMNS,
            )
        )
