"""openpyxl reads a sheet piece by piece, but leaves an empty element behind for each row, and reads
all texts of a workbook first. Part of child.py; standard library and openpyxl only."""

from array import array
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, iterparse


def pruned(source: Any) -> Iterator[tuple[str, Element]]:
    """The elements of an XML file as they end, as iterparse() does. Rows and shared texts are
    removed from what is around them once they were read."""
    around: list[Element] = []
    for event, element in iterparse(source, ("start", "end")):  # noqa: S314 - the child has limits
        if event == "start":
            around.append(element)
            continue
        around.pop()
        yield event, element
        if around and element.tag.endswith(("}row", "}si")):
            around[-1].clear()


class SharedTexts:
    """The shared texts of a workbook, read as far as they were asked for, in one piece of memory: a
    list of them takes three times as much."""

    def __init__(self, source: Any) -> None:
        self.data, self.ends = bytearray(), array("Q", [0])
        self.elements = pruned(source)

    def __getitem__(self, number: int) -> str:
        while number + 1 >= len(self.ends):
            self.read_next()
        found = self.data[self.ends[number] : self.ends[number + 1]]
        return found.decode("utf-8", "surrogatepass")

    def read_next(self) -> None:
        """Read until the next text; IndexError after the last."""
        for _event, element in self.elements:
            if element.tag.endswith("}si"):
                self.data += text_of(element).encode("utf-8", "surrogatepass")
                self.ends.append(len(self.data))
                return
        raise IndexError


def text_of(element: Element) -> str:
    """The text of an element, which may consist of parts with fonts of their own; how it is
    pronounced is not part of it."""
    parts = [
        each if each.tag.endswith("}t") else each.find("{*}t")
        for each in element
        if each.tag.endswith(("}t", "}r"))
    ]
    text = "".join(part.text or "" for part in parts if part is not None)
    return text.replace("x005F_", "")  # as openpyxl does


def read_strings(reader: Any) -> None:
    """In place of the method of openpyxl's reader."""
    from openpyxl.xml.constants import SHARED_STRINGS

    part = reader.package.find(SHARED_STRINGS)
    if part is not None:
        reader.shared_strings = SharedTexts(reader.archive.open(part.PartName[1:]))


def make_frugal() -> None:
    """Have openpyxl read workbooks in this way."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.worksheet import _reader
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    ExcelReader.read_strings = read_strings
    _reader.iterparse = pruned
    # They are not used, and where they are missing all of the sheet would be read to find them.
    ReadOnlyWorksheet._get_size = lambda _sheet: None
