"""Reading workbooks of others: in a child process, which reports what is wrong with them."""

import json
import logging
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from app.children import NoFreeSlot, acquire_slot, nothing, run
from app.concurrency import yield_to_hub
from app.current import settings
from app.database.engine import release_connection
from app.errors import DomainError, Unavailable
from app.text import N_, Bytes, Message
from app.workbooks.child import CELL_LENGTH, LIMITS, MOST_UNPACKED, REFUSED, ROWS, SHEETS

log = logging.getLogger("gazetteer.workbooks")

PROGRAM = Path(__file__).with_name("child.py")
AT_ONCE = 2  # children of all processes of a host
WAIT_SECONDS = 10.0
REPORT_BYTES = 4096
FIRST_ROWS = 40  # of each sheet

# Why a workbook cannot be read, by the name that the child reports.
PROBLEMS: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "damaged": lambda _: N_(
        "This Excel workbook is damaged or incomplete. Open it in a spreadsheet program and save "
        "it again as .xlsx."
    ),
    "too_large": lambda _: N_(
        "This Excel workbook unpacks to more than %(most)s. Delete the sheets and pictures that "
        "are not needed, or save it as CSV.",
        most=Bytes(MOST_UNPACKED),
    ),
    "too_complex": lambda _: N_(
        "This Excel workbook takes too much time or memory. Delete the sheets and columns that are "
        "not needed, or save it as CSV."
    ),
    "password": lambda _: N_(
        "This Excel workbook is protected by a password. Save it without one."
    ),
    "binary": lambda _: N_(
        "This Excel workbook is in the binary format (.xlsb). Save it as .xlsx."
    ),
    "other_program": lambda _: N_(
        "This is an OpenDocument file, not an Excel workbook. Save it as .xlsx or as CSV."
    ),
    "no_workbook": lambda _: N_(
        "This is a zip file or a document of another kind, not an Excel workbook."
    ),
    "no_sheet": lambda _: N_("The workbook has no such sheet."),
    "empty": lambda _: N_("All sheets of this workbook are empty."),
    "long_row": lambda report: N_(
        "Row %(row)s of the sheet “%(sheet)s” is too long: a cell can have at most %(most)s "
        "characters. Delete what is not needed.",
        row=str(report["row"]),
        sheet=report["sheet"],
        most=CELL_LENGTH,
    ),
}


class Unreadable(DomainError):
    """A workbook that cannot be read; the message says why."""


class ReadersBusy(Unavailable):
    """As many workbooks as may be read at once are being read."""

    text = N_("Other workbooks are being read. Try again in a moment.")


class Row(NamedTuple):
    """One row of a sheet, counted from 1, with what is wrong with its cells, by their places: a
    "date", an "error", a "formula" without a value, "merged" with another cell."""

    number: int
    cells: list[str]
    problems: dict[int, str]


class Sheet(NamedTuple):
    """A worksheet, with the first of its rows that are not empty, shortened."""

    name: str
    is_hidden: bool
    rows: list[Row]


def list_sheets(path: Path) -> list[Sheet]:
    """The worksheets of a workbook. Unreadable if it is none, ReadersBusy if it may be one."""
    with run_child(path, SHEETS, str(FIRST_ROWS)) as output:
        found = json.load(output)
    return [
        Sheet(sheet["name"], sheet["hidden"], [Row(*row) for row in sheet["rows"]])
        for sheet in found
    ]


class SheetRows(NamedTuple):
    """The name of a sheet, and its rows that are not empty, from the first one on each time; at the
    end None if there are more."""

    name: str
    read: Callable[[], Iterator[Row | None]]


@contextmanager
def open_rows(
    path: Path, sheet: int, most: int, pause: Callable[[], object] = nothing
) -> Iterator[SheetRows]:
    """At most so many rows of a sheet, which is numbered from 0. Unreadable or ReadersBusy before
    the first one. `pause` is called now and then while the child works."""
    with run_child(path, ROWS, str(sheet), str(most), pause=pause) as output:
        name = json.loads(output.readline())
        yield SheetRows(name, partial(read_lines, output, output.tell()))


def read_lines(output: IO[bytes], begin: int) -> Iterator[Row | None]:
    """The rows that a child has written, and None if there are more."""
    output.seek(begin)
    for line in output:
        found = json.loads(line)
        if isinstance(found, list):
            number, cells, problems = found
            yield Row(number, cells, {int(place): name for place, name in problems.items()})
            yield_to_hub()
        elif found:
            yield None


@contextmanager
def run_child(
    path: Path, task: str, *words: str, pause: Callable[[], object] = nothing
) -> Iterator[IO[bytes]]:
    """The output of a child that has read a workbook; no connection to the database is held while
    it runs. Those that read all rows do not wait for those that look at the first ones, nor these
    for them."""
    release_connection()
    folder = settings().files_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    seconds = LIMITS[task].wall_seconds + 5.0  # the child ends itself before
    with path.open("rb") as source, tempfile.TemporaryFile(dir=folder) as target:
        try:
            with acquire_slot(settings().instance, f"workbook-{task}", AT_ONCE, WAIT_SECONDS):
                status = run(PROGRAM, (task, *words), source, target, seconds, pause)
        except NoFreeSlot:
            raise ReadersBusy() from None
        target.seek(0)
        if status != 0:
            raise problem_of(status, target.read(REPORT_BYTES))
        yield target


def problem_of(status: int | None, output: bytes) -> DomainError:
    """What a child says that failed. One that was ended cannot say anything: its own limits end it
    by other signals than those of people and of the kernel without memory."""
    with suppress(ValueError, KeyError, TypeError):
        report = json.loads(output) if status == REFUSED else {}
        return Unreadable(PROBLEMS[report["problem"]](report))
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    log.warning("reading a workbook ended with status %s: %s", status, last)
    if status in (-signal.SIGKILL, -signal.SIGTERM):
        return ReadersBusy(N_("Reading the workbook was interrupted. Try again in a moment."))
    return Unreadable(PROBLEMS["too_complex"]({}))
