"""Files to look at: pictures as cameras and attackers make them, and documents."""

import io
import struct
import wave
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageOps

RED, BLUE = (255, 0, 0), (0, 0, 255)
ACTION = b"/OpenAction << /S /JavaScript /JS (app.alert\\('ran'\\)) >>"


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photograph(width: int = 90, height: int = 60, mode: str = "RGB") -> Image.Image:
    """A picture whose left upper quarter is red and the rest blue."""
    image = Image.new("RGB", (width, height), BLUE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    return image.convert(mode)


def landscape(width: int, height: int) -> Image.Image:
    """Something to look at: sky over water, with a sun and its reflection."""
    image = Image.linear_gradient("L").resize((width, height))
    image = ImageOps.colorize(image, "#0b4a6f", "#f4c98b", mid="#d9795d")
    draw = ImageDraw.Draw(image)
    middle = height * 3 // 5
    draw.rectangle((0, middle, width, height), "#16394a")
    sun, left = height // 6, width * 3 // 5
    draw.ellipse((left, middle - 2 * sun, left + 2 * sun, middle), "#fff1c9")
    for row in range(middle, height, height // 40):
        draw.rectangle((left + (row - middle) // 4, row, left + 2 * sun, row + 4), "#e0b184")
    return image


def tone() -> bytes:
    """A second of sound."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 1, 8000, 8000, "NONE", ""))
        file.writeframes(bytes(128 + 60 * (n // 10 % 2) for n in range(8000)))
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_red(pixel: Any) -> bool:
    return pixel[0] > 200 and pixel[2] < 60


def pdf(catalog: bytes = b"", packed: Sequence[bytes] = (), filters: bytes = b"") -> bytes:
    """A document of one page that says Hello. `packed` are objects in a compressed stream."""
    drawn = b"BT /F1 40 Tf 50 100 Td (Hello) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for each in packed:
        head, body = b"20 0 ", zlib.compress(b"20 0 " + each)
        filters = filters or b"/Filter /FlateDecode"
        objects.append(
            b"<< /Type /ObjStm /N 1 /First %d /Length %d %s >>\nstream\n%s\nendstream"
            % (len(head), len(body), filters, body)
        )
    out, places = b"%PDF-1.5\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, place = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (count, place)


SCRIPT = b"<< /S /JavaScript /JS (app.alert\\('ran'\\)) >>"


def packed_pdf(
    entries: bytes = b"",
    between: bytes = b"\n",
    content: bytes | None = None,
    action: bytes = SCRIPT,
    before: bytes = b"",
    filters: bytes = b"/Filter /FlateDecode",
) -> bytes:
    """A document that opens with an action in a packed object, as viewers read it. `entries` come
    first in the dictionary of its stream, `between` after the word `stream`, `before` in front of
    the content."""
    if content is None:
        content = zlib.compress(before + b"4 0 " + action)
    stream = b"<< %s /Type /ObjStm /N 1 /First %d %s /Length %d >>\nstream%s%s\nendstream" % (
        entries, len(before) + 4, filters, len(content), between, content,
    )  # fmt: skip
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>",
        5: stream,
    }
    out, rows = b"%PDF-1.5\n", {0: (0, 0, 255), 4: (2, 5, 0)}
    for number, each in objects.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    rows[6] = (1, len(out), 0)
    table = b"".join(struct.pack(">BIB", *rows[number]) for number in range(7))
    out += b"6 0 obj\n<< /Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n%s" % (
        len(table),
        table,
    )
    return out + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % rows[6][1]


def predicted(method: int, row: int, pixel: int, text: bytes) -> bytes:
    """A text after a predictor of PNG, packed; its rows are of this method."""
    out, above = b"", bytes(row)
    for start in range(0, len(text), row):
        line = text[start : start + row].ljust(row)
        left = bytes(pixel) + line
        other = {1: left, 2: above}.get(method, bytes(row))
        out += bytes([method, *((a - b) & 255 for a, b in zip(line, other, strict=False))])
        above = line
    return zlib.compress(out)


def predictor(row: int, pixel: int) -> bytes:
    """How a stream says that it is packed so."""
    return (
        b"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns %d /Colors %d >>"
        % (row // pixel, pixel)
    )  # fmt: skip


def unended(text: bytes) -> bytes:
    """A text that is packed, and then something that cannot be unpacked."""
    packer = zlib.compressobj()
    return packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH) + b"\xff" * 50


OBJECT = b"4 0 " + SCRIPT
# Documents whose script viewers find and readers of dictionaries may not.
TRICKS = {
    "packed": packed_pdf(),
    "far": packed_pdf(b" " * 70_000),
    "split": packed_pdf(b"/X (stream\n)"),
    "comment": packed_pdf(b"%stream\n"),
    "inner object": packed_pdf(b"/X <\nendobj\n9 0 obj <</Type/XRef>"),
    "space": packed_pdf(between=b" \n"),
    "words": packed_pdf(between=b" as it were\r\n"),
    "twice": packed_pdf(
        content=zlib.compress(zlib.compress(OBJECT)),
        filters=b"/Filter [/FlateDecode /FlateDecode]",
    ),
    "short name": packed_pdf(filters=b"/Filter /Fl"),
    "elsewhere": packed_pdf(b"/F#69rst 4"),
    "letters": packed_pdf(action=SCRIPT.replace(b"/JavaScript", b"/J#61va#53cript")),
    "unended": packed_pdf(content=unended(OBJECT)),
    "torn": packed_pdf(content=zlib.compress(OBJECT)[:-4] + b"torn"),
    "none": packed_pdf(content=predicted(0, 6, 1, OBJECT), filters=predictor(6, 1)),
    "left": packed_pdf(content=predicted(1, 9, 3, OBJECT), filters=predictor(9, 3)),
    "above": packed_pdf(content=predicted(2, 6, 1, OBJECT), filters=predictor(6, 1)),
    "no method": packed_pdf(content=predicted(7, 6, 1, OBJECT), filters=predictor(6, 1)),
}
