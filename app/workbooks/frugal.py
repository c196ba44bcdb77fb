"""openpyxl reads a workbook piece by piece, but leaves an empty element behind for each row and each
text. Part of child.py; standard library and openpyxl only."""

from array import array
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, iterparse


def pruned(source: Any) -> Iterator[tuple[str, Element]]:
    """The elements of an XML file as they end, as iterparse() does. Rows and shared texts are
    removed from what is around them once they were read."""
    around: list[Element] = []
    for event, element in iterparse(source, ("start", "end")):
        if event == "start":
            around.append(element)
            continue
        around.pop()
        yield event, element
        if around and element.tag.endswith(("}row", "}si")):
            around[-1].clear()


class Texts:
    """Texts in one piece of memory, a third of what a list of them takes."""

    def __init__(self) -> None:
        self.data, self.ends = bytearray(), array("Q", [0])

    def append(self, text: str) -> None:
        self.data += text.encode("utf-8", "surrogatepass")
        self.ends.append(len(self.data))

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError
        found = self.data[self.ends[number] : self.ends[number + 1]]
        return found.decode("utf-8", "surrogatepass")


def read_texts(source: Any) -> Texts:
    """The shared texts of a workbook."""
    from openpyxl.cell.text import Text

    texts = Texts()
    for _event, element in pruned(source):
        if element.tag.endswith("}si"):
            plain = len(element) == 1 and element[0].tag.endswith("}t")
            text = element[0].text if plain else Text.from_tree(element).content
            texts.append((text or "").replace("x005F_", ""))
    return texts


def make_frugal() -> None:
    """Have openpyxl read workbooks in this way."""
    from openpyxl.reader import excel
    from openpyxl.worksheet import _reader

    excel.read_string_table = read_texts
    _reader.iterparse = pruned
