"""The program that reads Excel workbooks. It runs in a process of its own, away from the
application and its secrets, and uses the standard library and openpyxl only. Macros are never
loaded.

    python -I child.py sheets ROWS        the sheets, each with its first rows that are not empty
    python -I child.py rows SHEET MOST    the rows of one sheet, at most so many

The file is the standard input. Status 0: the output is the result, as lines of JSON. Status
REFUSED: it is a problem, as JSON. Whatever else ends the process, such as one of its limits, is too
much.

The first line of rows is the name of the sheet, the last one true if there are more rows than MOST.
A row is [number, texts, problems]; the problems of cells are named by their places. Empty rows are
left out.
"""

import datetime
import errno
import json
import runpy
import sys
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import repeat, zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZipFile

REFUSED = 3
SHEETS, ROWS = "sheets", "rows"


class TaskLimits(NamedTuple):
    """Of a task. A million rows take a minute or two."""

    cpu_seconds: int
    wall_seconds: int


LIMITS = {SHEETS: TaskLimits(20, 40), ROWS: TaskLimits(600, 1200)}
MEMORY = 512 << 20
OUTPUT_BYTES = 512 << 20
# Everything in the file unpacked, and the number of its parts.
MOST_UNPACKED, MOST_PARTS = 512 << 20, 5_000
MOST_SHEETS = 50
SHOWN_LENGTH, SHOWN_CELLS = 100, 50  # of the first rows
LOOK_AT_ROWS = 1_000  # for the first rows of a sheet
CELL_LENGTH, ROW_LENGTH = 131_072, 1_000_000
OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"

own = runpy.run_path(str(Path(__file__).parents[1] / "files" / "preview" / "limits.py"))
Refusal, answer, open_nothing_more = own["Refusal"], own["answer"], own["open_nothing_more"]
frugal = runpy.run_path(str(Path(__file__).with_name("frugal.py")))
parts = runpy.run_path(str(Path(__file__).with_name("survey.py")))
survey, merged_cells = parts["survey"], parts["merged_cells"]


def read_sheets(file: BinaryIO, most: int) -> bytes:
    """All worksheets with their first rows, as JSON."""
    book = open_book(file)
    found = [
        {
            "name": sheet.title,
            "hidden": sheet.sheet_state != "visible",
            "rows": first_rows(sheet, most),
        }
        for sheet in book.worksheets[:MOST_SHEETS]
    ]
    if not any(sheet["rows"] for sheet in found):
        raise Refusal("empty")
    return json.dumps(found).encode()


def first_rows(sheet: Any, most: int) -> list[list[Any]]:
    found: list[list[Any]] = []
    sheet.reset_dimensions()  # some programs write wrong ones
    for number, cells in enumerate(sheet.iter_rows(), 1):
        shown = [text_of(cell.value)[:SHOWN_LENGTH] for cell in cells[:SHOWN_CELLS]]
        texts = without_end(shown)
        if texts:
            found.append([number, texts, {}])
        if len(found) == most or number == LOOK_AT_ROWS:
            break
    return found


def read_rows(file: BinaryIO, index: int, most: int) -> Iterator[Any]:
    """The name of a sheet, its rows that are not empty, then whether there are more."""
    sheet = sheet_at(open_book(file), index)
    yield sheet.title
    formulas, last_row, areas = survey(file, sheet)
    values = sheet.iter_rows()
    others: Iterable[Any] = repeat(())
    if formulas:  # the values come from one reader, the formulas from another one
        other = sheet_at(open_book(file, formulas=True), index)
        others = other.iter_rows()
    count = 0
    for number, (cells, written) in enumerate(zip(values, others, strict=False), 1):
        if number > last_row:
            break
        texts, problems = read_cells(cells, written)
        if not texts:
            continue
        if count == most:
            yield True
            return
        check_length(sheet, number, texts)
        problems |= merged_cells(number, texts, areas)
        yield [number, texts, problems]
        count += 1
    yield False


def sheet_at(book: Any, index: int) -> Any:
    sheets = book.worksheets[:MOST_SHEETS]
    if not 0 <= index < len(sheets):
        raise Refusal("no_sheet")
    sheets[index].reset_dimensions()
    return sheets[index]


def open_book(file: BinaryIO, formulas: bool = False) -> Any:
    """The workbook: of formulas the values that a program has calculated and stored, or with
    `formulas` the formulas."""
    from openpyxl import load_workbook

    file.seek(0)
    return load_workbook(file, read_only=True, data_only=not formulas, keep_links=False)


def check_archive(file: BinaryIO) -> None:
    """Refuse what is not a workbook, or unpacks to too much, by the table of contents. What a part
    says of its size is true: no more of it is unpacked."""
    with ZipFile(file) as archive:
        parts = archive.infolist()
        names = set(archive.namelist())
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
            raise Refusal("too_large", size=unpacked)
        if any(part.flag_bits & 1 for part in parts):
            raise Refusal("password")
        if "mimetype" in names and archive.read("mimetype").startswith(OPEN_DOCUMENT):
            raise Refusal("other_program")
    if "xl/workbook.bin" in names:
        raise Refusal("binary")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise Refusal("no_workbook")


def read_cells(cells: Iterable[Any], written: Iterable[Any]) -> tuple[list[str], dict[int, str]]:
    """The texts of a row's cells, and what is wrong with them, by their places."""
    texts, problems = [], {}
    for place, (cell, formula) in enumerate(zip_longest(cells, written)):
        value = None if cell is None else cell.value
        texts.append(text_of(value))
        if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
            problems[place] = "date"
        elif cell is not None and cell.data_type == "e":
            problems[place] = "error"
        elif value is None and formula is not None and formula.data_type == "f":
            texts[place] = text_of_formula(formula.value)
            problems[place] = "formula"
    return without_end(texts), problems


def text_of(value: Any) -> str:
    """A value as people would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def text_of_formula(value: Any) -> str:
    """A formula; those of several cells are objects."""
    return str(getattr(value, "text", value))


def without_end(texts: list[str]) -> list[str]:
    """The texts without empty ones at the end."""
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def check_length(sheet: Any, number: int, texts: list[str]) -> None:
    """Refuse cells that no program of offices can have written."""
    longest = max(map(len, texts))
    if longest > CELL_LENGTH or sum(map(len, texts)) > ROW_LENGTH:
        raise Refusal("long_row", row=number, sheet=sheet.title)


def warm_up() -> None:
    """Read a workbook of ours, which loads every module that is needed: later none can be."""
    from openpyxl import Workbook

    book, file = Workbook(), BytesIO()
    book.active.append(["a", 1.5, True, datetime.date(2026, 1, 1), datetime.time(1), "=A1"])
    book.active.merge_cells("A2:B3")
    book.save(file)
    check_archive(file)
    read_sheets(file, 1)
    list(read_rows(file, 0, 1))


def write(rows: Iterable[Any]) -> None:
    """Write lines of JSON to the standard output."""
    with open(1, "w", encoding="utf-8", closefd=False) as target:
        for row in rows:
            target.write(json.dumps(row) + "\n")


def work(task: str, *words: str) -> None:
    check_archive(sys.stdin.buffer)
    if task == SHEETS:
        answer(read_sheets(sys.stdin.buffer, int(words[0])))
    else:
        write(read_rows(sys.stdin.buffer, int(words[0]), int(words[1])))


def main(*words: str) -> int:
    warnings.simplefilter("ignore")
    own["limit_self"](MEMORY, *LIMITS[words[0]], OUTPUT_BYTES)
    frugal["make_frugal"]()
    warm_up()
    open_nothing_more()
    try:
        work(*words)
    except own["Refusal"] as refusal:
        answer(json.dumps(refusal.report).encode())
        return REFUSED
    except MemoryError:
        answer(json.dumps({"problem": "too_complex"}).encode())
        return REFUSED
    except Exception as error:  # damaged parts raise errors of many classes
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.EFBIG, errno.ENOSPC):
            raise  # our fault, or that of the disk, not that of the workbook
        answer(json.dumps({"problem": "damaged"}).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
