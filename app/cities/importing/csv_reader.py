"""The records of a CSV file, whatever its columns are. What is wrong with a file is one message;
reading a file is cheap whatever is in it."""

import csv
import io
from collections.abc import Iterator
from itertools import chain

from app.concurrency import yield_to_hub
from app.errors import Invalid
from app.text import N_, Message

# Spreadsheets leave lines of nothing but commas, but never so many in a list of cities.
MOST_EMPTY = 20_000
MOST_COLUMNS = 200
RECORD_LENGTH = 1_000_000  # characters; a longer record is not parsed
# How many characters are about a millisecond of work, and how many a line costs by itself.
PAUSE_EVERY, LINE_COSTS = 100_000, 200


def refused(message: Message) -> Invalid:
    """The error that refuses a whole file."""
    return Invalid(fields={"file": message})


def records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line in which it begins. Before the header, empty lines and comments
    (lines that begin with #) are skipped."""
    lines = Lines(data)
    for first in lines:
        if first.strip() and not first.replace('"', "").lstrip().startswith("#"):
            break
        check_empty(lines.count, lines.count)
        lines.begin_record()
    else:
        return
    try:
        for cells in csv.reader(chain([first], lines), strict=True):
            check_width(lines.begins, len(cells))
            yield lines.begins, cells
            lines.begin_record()
    except csv.Error as error:
        raise unreadable(lines.begins, error) from None


class Lines:
    """The lines of a file with their line endings, decoded as they are read. Now and then other
    requests run: a small file may have millions of lines, and one line may be the whole file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        # newline="" ends a line at LF, CRLF and CR, and keeps them inside quoted cells.
        self.file = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
        self.count = self.since_pause = 0
        self.begin_record()
        if b"\0" in data:
            raise not_text(data[: data.index(b"\0")])

    def begin_record(self) -> None:
        """The lines that follow belong to another record."""
        self.begins, self.length = self.count + 1, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self.file.readline(RECORD_LENGTH + 1)
        except UnicodeDecodeError:
            raise not_text(before_fault(self.data)) from None
        if not line:
            raise StopIteration
        self.count += 1
        self.length += len(line)
        check_length(self.begins, self.length)
        self.since_pause += LINE_COSTS + len(line)
        if self.since_pause > PAUSE_EVERY:
            self.since_pause = 0
            yield_to_hub()
        return line


def before_fault(data: bytes) -> bytes:
    """The data before the first byte that is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data[: error.start]
    return data


def not_text(before: bytes) -> Invalid:
    """The error for a file that is not UTF-8 text after these bytes."""
    line_ends = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return refused(
        N_(
            "Line %(line)s is not UTF-8 text. Save the file again as UTF-8; Excel calls it "
            "“CSV UTF-8 (Comma delimited)”.",
            line=str(line_ends + 1),
        )
    )


def unreadable(line: int, error: csv.Error) -> Invalid:
    """An error of the standard library's reader, in our words."""
    if "field limit" in str(error):
        return refused(
            N_(
                "A cell that begins in line %(line)s or below has more than %(most)s characters. "
                "Perhaps a quotation mark at its end is missing.",
                line=str(line),
                most=csv.field_size_limit(),
            )
        )
    return refused(
        N_(
            "The quotation marks of the cells that begin in line %(line)s do not match. "
            "Text in quotation marks ends with one; one inside of it is written twice.",
            line=str(line),
        )
    )


def check_empty(line: int, empty: int) -> None:
    """Refuse a file of empty lines before it costs much."""
    if empty > MOST_EMPTY:
        raise refused(
            N_(
                "Up to line %(line)s there are more than %(most)s lines without a city. "
                "Delete them and save the file again.",
                line=str(line),
                most=MOST_EMPTY,
            )
        )


def check_length(line: int, length: int) -> None:
    """Refuse a record of very many characters before it is parsed."""
    if length > RECORD_LENGTH:
        raise refused(
            N_(
                "Line %(line)s is longer than %(most)s characters. "
                "Delete the columns that are not needed.",
                line=str(line),
                most=RECORD_LENGTH,
            )
        )


def check_width(line: int, count: int) -> None:
    """Refuse a record of very many cells, empty or not."""
    if count > MOST_COLUMNS:
        raise refused(
            N_(
                "Line %(line)s has %(count)s cells; at most %(most)s can be read. "
                "Delete the columns that are not needed.",
                line=str(line),
                count=count,
                most=MOST_COLUMNS,
            )
        )
