"""The refused lines of an import as a CSV file, to be corrected and imported again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.cities.exporting.csv_writer import BYTE_ORDER_MARK, write_csv
from app.cities.fields import Field
from app.concurrency import yield_to_hub
from app.text import load_messages


def stream_refused(batches: Iterable[Iterable[Any]], fields: Sequence[Field]) -> Iterator[bytes]:
    """The lines with their reasons and the columns that their file had, in a piece for each
    batch. An import ignores the columns in front."""
    header = ["line", "field", "reason", *(field.headers[0] for field in fields)]
    yield (BYTE_ORDER_MARK + write_csv([header])).encode()
    for rows in batches:
        yield write_csv(
            [
                row.line,
                row.faults,
                load_messages(row.reason),
                *(row.cells.get(field.name, "") for field in fields),
            ]
            for row in rows
        ).encode()
        yield_to_hub()  # to a fast reader the server never waits
