"""What the page shows on which a person chooses how a file is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.actor import Actor, Role
from app.auth.queries import remembered_codec
from app.cities.importing.models import WAITING, CityImport, ImportState
from app.cities.importing.queries import load_import
from app.cities.importing.reading.choices import Reading, sheets_of
from app.cities.importing.reading.header import SEPARATORS
from app.cities.importing.reading.samples import (
    Columns,
    EncodingSample,
    columns_of_sheet,
    columns_of_text,
    load_samples,
    sample_encodings,
)
from app.cities.importing.reading.sniff import BY_CODEC, is_workbook
from app.cities.importing.reading.tables import suggest
from app.cities.importing.storage import path_of_import
from app.database.engine import release_connection
from app.database.service import permitted
from app.errors import NotFound
from app.jobs.waiting import read_end
from app.text import parse_integer
from app.workbooks.reading import Sheet


@dataclass(frozen=True)
class ReadingPage:
    """An import, the way in which its file is shown, the other ways, and its first rows."""

    import_id: int
    file_name: str
    is_staged: bool
    reading: Reading
    columns: Columns
    encodings: list[EncodingSample]
    sheets: list[Sheet]
    failure: str = ""  # of the job that has read it

    def fill(self, form: Any) -> Any:
        """A form with what the file was read with, or with what is suggested."""
        chosen = self.reading.columns
        names = {place: name for name, place in (chosen or {}).items()}
        width = range(len(self.columns.names))
        columns = [names.get(place, "") for place in width] if chosen else self.columns.suggested
        return form(
            data={
                "codec": self.reading.codec,
                "separator": self.columns.separator,
                "sheet": "" if self.reading.sheet is None else str(self.reading.sheet),
                "first": self.reading.first or self.columns.first,
                "columns": columns,
            }
        )


@permitted(Role.EDITOR)
def show_reading(actor: Actor, import_id: int, wanted: Mapping[str, str]) -> ReadingPage | None:
    """The page of an unconfirmed import; `wanted` may name another encoding, separator or sheet.
    None before the job has looked at the file, all of which is too much for a request."""
    found = load_import(actor, import_id, unfinished=True)
    if found.state not in WAITING:
        raise NotFound()
    if found.state == ImportState.STAGING and found.reading is None:
        return None
    path, is_staged, name = path_of_import(found), found.fields is not None, found.file_name
    samples, failure = found.samples, read_end(found.job_id).failure
    reading = reading_of(actor, found, path, wanted)
    release_connection()
    if is_workbook(path):
        sheets = sheets_of(path)
        columns = columns_of_sheet(sheets, reading.sheet or 0)
        return ReadingPage(import_id, name, is_staged, reading, columns, [], sheets, failure)
    columns = columns_of_text(path, reading)
    encodings = sample_encodings(path) if samples is None else load_samples(samples)
    return ReadingPage(import_id, name, is_staged, reading, columns, encodings, [], failure)


def reading_of(actor: Actor, found: CityImport, path: Path, wanted: Mapping[str, str]) -> Reading:
    """How the file is shown: as the address says, otherwise as it was read, or as suggested."""
    stored = Reading(**found.reading) if found.reading else None
    reading = stored or suggest(path, remembered_codec(actor)).reading
    codec, separator = wanted.get("codec", ""), wanted.get("separator", "")
    sheet = parse_integer(wanted.get("sheet", ""), 0, 2**31)
    if reading.sheet is not None and sheet is not None and sheet != reading.sheet:
        return Reading(sheet=sheet)
    if reading.sheet is None and (codec in BY_CODEC or separator in SEPARATORS):
        return Reading(
            codec if codec in BY_CODEC else reading.codec,
            separator if separator in SEPARATORS else "",
        )
    return reading
