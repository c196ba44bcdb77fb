"""The records of a CSV file, whatever its columns are. What is wrong with a file is one message;
reading a file is cheap whatever is in it."""

import csv
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import IO

from app.concurrency import yield_to_hub
from app.errors import Invalid
from app.text import N_, UNSEEN, Message

# Spaces of any kind, but no line break and no tab; as part of a regular expression's class.
SPACING = f" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{UNSEEN}"
# Quotation marks that word processors and Chinese keyboards write.
CURLY = "“”„‟＂"
MOST_COLUMNS = 200
RECORD_LENGTH = 1_000_000  # characters; a longer record is not parsed
# A file that is saved by one program after another may begin with several, or with the bytes of one
# as three letters.
BYTE_ORDER_MARKS = re.compile("^(?:\ufeff|ï»¿)+")
# How many characters are about a millisecond of work, and how many a line costs by itself.
PAUSE_EVERY, LINE_COSTS = 100_000, 200


def refused(message: Message) -> Invalid:
    """The error that refuses a whole file."""
    return Invalid(fields={"file": message})


def records(
    lines: "Lines", first: str, separator: str, most: int = MOST_COLUMNS
) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line in which it begins, from the line `first` on, which was read last.
    Invalid for one of more than `most` cells."""
    try:
        tidy = tidied(lines, first, separator)
        for cells in csv.reader(tidy, strict=True, delimiter=separator[0]):
            check_width(lines.begins, len(cells), most)
            yield lines.begins, cells
            lines.begin_record()
    except csv.Error as error:
        raise unreadable(lines.begins, error) from None


def tidied(lines: "Lines", first: str, separator: str) -> Iterator[str]:
    """The lines from `first` on with quotation marks as csv.reader knows them."""
    quotes = quotes_of(separator)
    yield quotes.tidy(first, inside=False)
    for line in lines:
        yield quotes.tidy(line, inside=lines.count > lines.begins)


class Quotes:
    """The quotation marks of cells as people write them: with spaces of any kind around them, or
    curly. csv.reader would take both for parts of the name. Of several separators the first takes
    the place of the others."""

    def __init__(self, separators: str) -> None:
        space = f"[{SPACING}]*+" if "\t" in separators else f"[{SPACING}\t]*+"
        any_of = re.escape(separators)
        end = f"{space}(?=[{any_of}\r\n]|\\Z)"
        text = '(?:[^"]++|"")*+'
        self.separators = separators
        self.unusual = re.compile(f'[{SPACING}\t]"|"[{SPACING}\t]|[{CURLY}{separators[1:]}]')
        self.cell = re.compile(
            f'{space}(?P<quoted>"{text}"){end}'
            f'|{space}(?P<open>"{text}\\Z)'  # goes on in the next line
            f'|{space}".*+'  # wrong: left to csv.reader
            f"|{space}[{CURLY}](?P<curly>[^{CURLY}\r\n]*+)[{CURLY}]{end}"
            f'|{space}[{CURLY}](?P<half>[^{CURLY}"\r\n]*+)"{end}'
            f"|[^{any_of}]++|[{any_of}]",
            re.DOTALL,
        )

    def tidy(self, line: str, inside: bool) -> str:
        """The line with the usual quotation marks; `inside` if it begins within a quoted cell. More
        cells than a record may have are left as they are."""
        if not self.unusual.search(line):
            return line
        text = f'"{line}' if inside else line
        return self.cell.sub(self.usual, text, count=2 * MOST_COLUMNS + 1)[inside:]

    def usual(self, found: re.Match[str]) -> str:
        """One cell with the usual quotation marks, or a separator."""
        curly = found["half"] if found["curly"] is None else found["curly"]
        if curly is not None:
            return '"{}"'.format(curly.replace('"', '""'))
        if found[0] in self.separators:
            return self.separators[0]
        return found["quoted"] or found["open"] or found[0]


quotes_of = lru_cache(64)(Quotes)  # a file may name any separator


class Lines:
    """The lines of a file from its beginning, with their line endings, decoded as they are read;
    the file is theirs from then on. Now and then other requests run: a small file may have millions
    of lines, and one line may be the whole file."""

    def __init__(self, file: IO[bytes], codec: str, errors: str = "strict") -> None:
        # newline="" ends a line at LF, CRLF and CR, and keeps them inside quoted cells.
        self.file = io.TextIOWrapper(file, codec, errors, newline="")
        self.count = self.since_pause = 0
        self.begin_record()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def begin_record(self) -> None:
        """The lines that follow belong to another record."""
        self.begins, self.length = self.count + 1, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(RECORD_LENGTH + 1)
        if not line:
            raise StopIteration
        self.count += 1
        self.length += len(line)
        check_length(self.begins, self.length)
        self.since_pause += LINE_COSTS + len(line)
        if self.since_pause > PAUSE_EVERY:
            self.since_pause = 0
            yield_to_hub()
        return BYTE_ORDER_MARKS.sub("", line) if self.count == 1 else line


def line_ends(text: str) -> int:
    """How many line endings (LF, CRLF, CR) the text has."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


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
    return unmatched_quotes(line)


def unmatched_quotes(line: int) -> Invalid:
    """The error for a record with a quotation mark too few or too many."""
    return refused(
        N_(
            "The quotation marks of the cells that begin in line %(line)s do not match. "
            "Text in quotation marks ends with one; one inside of it is written twice.",
            line=str(line),
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


def check_width(line: int, count: int, most: int) -> None:
    """Refuse a record of very many cells, empty or not."""
    if count > most:
        raise refused(
            N_(
                "Line %(line)s has %(count)s cells; at most %(most)s can be read. "
                "Delete the columns that are not needed.",
                line=str(line),
                count=count,
                most=most,
            )
        )
