"""The formats in which the register is exported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.cities.exporting.csv_writer import stream_csv
from app.cities.exporting.encodings import ENCODINGS
from app.cities.exporting.xlsx_writer import stream_xlsx
from app.textfiles.encoding import UTF_16, Encoding

XLSX = "xlsx"


@dataclass(frozen=True)
class Format:
    """A CSV file in an encoding, or an Excel file, which has none."""

    label: Any
    encoding: Encoding | None = None

    @property
    def extension(self) -> str:
        return "csv" if self.encoding else "xlsx"

    def write(self, batches: Iterable[Sequence[Any]]) -> Iterator[bytes]:
        """Rows of the register as a file, in pieces."""
        return stream_csv(batches, self.encoding) if self.encoding else stream_xlsx(batches)


LABELS = {
    "utf-8": _l("CSV, UTF-8"),
    "utf-16": _l("CSV, UTF-16"),
    "gb18030": _l("CSV, GB18030 (Simplified Chinese)"),
    "big5": _l("CSV, Big5 (Traditional Chinese)"),
    "euc-kr": _l("CSV, EUC-KR (Korean)"),
}
FORMATS: Mapping[str, Format] = {
    XLSX: Format(_l("Excel (XLSX)")),
    **{name: Format(LABELS[name], encoding) for name, encoding in ENCODINGS.items()},
}


def name_of_codec(codec: str) -> str:
    """The name of the CSV format in the encoding of a codec; empty for any other. UTF-16 has two
    codecs, of which an export writes the first."""
    codec = UTF_16[0].codec if codec == UTF_16[1].codec else codec
    return next((name for name, each in ENCODINGS.items() if each.codec == codec), "")
