"""Whether a PDF may contain JavaScript. Part of child.py; standard library and Pillow only.

Viewers forgive so much that no reading of dictionaries here would agree with theirs, so none are
read. A script runs only in an action of the name /JavaScript, and so this name is looked for:

- in the file as it is, also with its letters written as numbers;
- if the file has the name /First, without which no viewer finds packed objects: in everything that
  zlib makes of what follows the word "stream" and a line, as far as it can be unpacked, whatever
  its dictionary says; if the result is packed or has streams, in these too;
- if the file has the name /Predictor too: also in these with the predictor of PNG undone, for each
  length of a row that the figures in the file can mean.

Such a file is unclear if it is encrypted, if it names another way of packing than zlib, if a
predictor is another one or its figures are not plain numbers, and if it unpacks to too much. The
formats of pictures (DCTDecode and the like) do not count as ways of packing: Chromium reads no
objects from them.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

UNPACKED_BYTES = 128 << 20
UNDONE_BYTES = 256 << 20  # with predictors undone, all lengths of rows together
PIECE = 4096
DEFLATED = 8  # in the first byte of what zlib has packed
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # of Pillow, by the bytes of a pixel


# Chromium ends a name at 80 and FF too.
END = rb"(?![^\0\t\n\f\r ()<>\[\]{}/%\x80\xff])"


class Unclear(Exception):
    """It cannot be found out."""


def name(*texts: str) -> bytes:
    """The pattern of PDF names, each character of which may be written as a number."""
    spelled = [
        b"".join(b"(?:%c|#(?i:%02x))" % (character, character) for character in text.encode())
        for text in texts
    ]
    return b"/(?:" + b"|".join(spelled) + b")" + END


NUMBER = rb"\s*(\d{1,9})\s*[/>]"
SCRIPT = re.compile(name("JavaScript"))
PACKED = re.compile(name("First"))
HIDDEN = re.compile(
    name("Encrypt", "Crypt", "LZWDecode", "LZW", "ASCIIHexDecode", "AHx", "ASCII85Decode", "A85",
         "RunLengthDecode", "BrotliDecode")
)  # fmt: skip
# So short that in a photograph it may be chance: only after what can precede a name of a filter.
SHORT = re.compile(name("RL").replace(b"/", rb"/(?<=[\0\s\x80\xff0-9A-Za-z\[\]>)]/)", 1))
STREAM = re.compile(rb"(?<!end)stream[^\r\n]*(?:\r\n|\r|\n)")
PREDICTOR, COLUMNS, COLORS = name("Predictor"), name("Columns"), name("Colors")
ELSEWHERE = re.compile(PREDICTOR)  # in what is unpacked, so that its figures may be too
BITS = name("BitsPerComponent", "BPC")


def find_problem(data: Any, ready: Callable[[], None]) -> str | None:
    """The problem with a document, if there is one; `ready` is called when all is loaded."""
    from PIL import Image

    # Loads what it needs.
    Image.frombytes("L", (1, 1), zlib.compress(bytes(2)), "zip", "L").tobytes()
    ready()
    try:
        if SCRIPT.search(data):
            return "scripted"
        if PACKED.search(data) and Search(data, Image.frombytes).finds_script():
            return "scripted"
    except (Unclear, MemoryError):
        return "unclear"
    return None


class Search:
    """The search in what a document unpacks to; Unclear if there may be more than it can find."""

    def __init__(self, data: Any, decode: Callable[..., Any]) -> None:
        self.data, self.decode = data, decode
        self.unpacked, self.undone = UNPACKED_BYTES, UNDONE_BYTES
        self.rows = find_rows(data)

    def finds_script(self) -> bool:
        """True if there is a script in it. One that is found counts more than what is unclear."""
        waiting: list[Any] = [self.data]
        unclear = any(each.search(self.data) for each in (HIDDEN, SHORT))
        while waiting:
            for part in self.parts(waiting.pop()):
                if SCRIPT.search(part):
                    return True
                unclear = unclear or any(each.search(part) for each in (HIDDEN, SHORT, ELSEWHERE))
                waiting.append(part)
        if unclear:
            raise Unclear
        return False

    def parts(self, data: Any) -> Iterator[bytes]:
        """What is packed in some bytes, also with predictors undone."""
        for start in (0, *(found.end() for found in STREAM.finditer(data))):
            part = self.unpack(data, start)
            if part:
                yield part
                yield from (self.undo(part, *row) for row in self.rows)

    def unpack(self, data: Any, start: int) -> bytes:
        """What zlib makes of the bytes from here, up to where they are damaged, as viewers do."""
        parts = []
        if data[start : start + 1] and data[start] & 15 == DEFLATED:
            for part in unpack_pieces(data, start + 2):
                parts.append(part)
                self.unpacked -= len(part)
                if self.unpacked < 0:
                    raise Unclear
        return b"".join(parts)

    def undo(self, part: bytes, row: int, pixel: int) -> bytes:
        """The bytes before the predictor of PNG changed them, for rows and pixels of this size."""
        self.undone -= len(part)
        if self.undone < 0:
            raise Unclear
        count = -(-len(part) // (row + 1))
        rows = bytearray(part.ljust(count * (row + 1), b"\0"))
        # Chromium takes a row of a method that does not exist as it is.
        rows[:: row + 1] = bytes(tag if tag < 5 else 0 for tag in rows[:: row + 1])
        mode, size = MODES[pixel], (row // pixel, count)
        return bytes(self.decode(mode, size, zlib.compress(rows, 0), "zip", mode).tobytes())


def unpack_pieces(data: Any, start: int) -> Iterator[bytes]:
    """What comes out before a byte that is wrong. Check sums and the size of the window are not
    looked at, and what would be copied from before the beginning is zeros, as in Firefox."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=bytes(1 << zlib.MAX_WBITS))
    for place in range(start, len(data), PIECE):
        piece, before = data[place : place + PIECE], unpacker.copy()
        try:
            yield unpacker.decompress(piece)
        except zlib.error:
            yield from unpack_slowly(before, piece)
            return
        if unpacker.eof:
            return


def unpack_slowly(unpacker: Any, piece: bytes) -> Iterator[bytes]:
    """The same, byte by byte."""
    for value in piece:
        try:
            yield unpacker.decompress(bytes([value]))
        except zlib.error:
            return


def find_rows(data: Any) -> set[tuple[int, int]]:
    """All lengths of a row, with the length of a pixel, that a predictor in the file can have."""
    predictors = find_figures(data, PREDICTOR)
    if not predictors <= {1, *range(10, 16)}:
        raise Unclear
    if not predictors - {1}:
        return set()
    figures = [find_figures(data, COLUMNS) | {1}, find_figures(data, COLORS) | {1}]
    rows = set()
    for columns, colors, bits in product(*figures, find_figures(data, BITS) | {8}):
        pixel = max(1, -(-colors * bits // 8))
        row = -(-columns * colors * bits // 8)
        if pixel not in MODES or row % pixel or not row:
            raise Unclear
        rows.add((min(row, -(-UNPACKED_BYTES // pixel) * pixel), pixel))
    return rows


def find_figures(data: Any, key: bytes) -> set[int]:
    """All numbers after a name. One that is elsewhere in the file is unclear."""
    figures = set()
    for found in re.finditer(key, data):
        number = re.compile(NUMBER).match(data, found.end())
        if number is None:
            raise Unclear
        figures.add(int(number[1]))
    return figures
