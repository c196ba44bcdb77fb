"""Whether a file is what its ending says, and the Content-Type it is sent with.

Files are never shown in a page, only handed out as attachments; this check keeps a program from
travelling as a picture. Endings not in the table are accepted as they are.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.files import storage

HEAD = 1024
# Bytes that no text has in any encoding that is a superset of ASCII. Tab, line ends, form feed,
# escape (ISO-2022) and the end mark of DOS are in texts.
BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
OTHERS = "application/octet-stream"


@dataclass(frozen=True)
class FileType:
    """A kind of file: its Content-Type and how its first bytes are recognised."""

    content_type: str
    begins: Callable[[bytes], bool] | None = None
    is_text: bool = False


def begins(*marks: bytes) -> Callable[[bytes], bool]:
    """A test for one of these first bytes."""
    return lambda head: head.startswith(marks)


JPEG = FileType("image/jpeg", begins(b"\xff\xd8\xff"))
# Readers of PDF allow some bytes before the mark, and files with them are about.
PDF = FileType("application/pdf", lambda head: b"%PDF-" in head)
ZIPPED = begins(b"PK\x03\x04", b"PK\x05\x06")
OFFICE = "application/vnd.openxmlformats-officedocument"
FILE_TYPES: dict[str, FileType] = {
    "pdf": PDF,
    "png": FileType("image/png", begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": FileType("image/gif", begins(b"GIF87a", b"GIF89a")),
    "txt": FileType("text/plain", is_text=True),
    "csv": FileType("text/csv", is_text=True),
    "md": FileType("text/markdown", is_text=True),
    "zip": FileType("application/zip", ZIPPED),
    "docx": FileType(f"{OFFICE}.wordprocessingml.document", ZIPPED),
    "xlsx": FileType(f"{OFFICE}.spreadsheetml.sheet", ZIPPED),
    "pptx": FileType(f"{OFFICE}.presentationml.presentation", ZIPPED),
    "gz": FileType("application/gzip", begins(b"\x1f\x8b")),
}
# What a text must not begin with.
MARKS = [kind.begins for ending, kind in FILE_TYPES.items() if kind.begins and ending != "pdf"]
MARKS.append(begins(b"%PDF-"))


def content_type(path: Path, ending: str) -> str | None:
    """The Content-Type of a file with this ending, or None when its content is of another kind.
    An empty file agrees with every ending."""
    kind = FILE_TYPES.get(ending, FileType(OTHERS))
    if path.stat().st_size == 0:
        return kind.content_type
    with path.open("rb") as file:
        head = file.read(HEAD)
    if kind.is_text:
        charset = text_charset(path, head)
        return None if charset is None else f"{kind.content_type}{charset}"
    if kind.begins is not None and not kind.begins(head):
        return None
    return kind.content_type


def text_charset(path: Path, head: bytes) -> str | None:
    """The charset parameter of a text: UTF-8 or, with its mark, UTF-16; '' for another encoding,
    which cannot be told for certain; None when it is no text."""
    if head.startswith(UTF_16_MARKS):
        return "; charset=utf-16" if decodes(path, "utf-16") else None
    if any(begins_so(head) for begins_so in MARKS):
        return None
    if any(BINARY.search(block) for block in storage.read(path)):
        return None
    return "; charset=utf-8" if decodes(path, "utf-8") else ""


def decodes(path: Path, encoding: str) -> bool:
    """Whether all of a file is valid in an encoding; read block by block."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in storage.read(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def icon_kind(ending: str) -> str:
    """Which picture stands before a file in a list: pdf, image, text, table, archive or other."""
    if ending in ("png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "tif", "tiff"):
        return "image"
    if ending in ("zip", "gz", "7z", "tar", "xz", "rar"):
        return "archive"
    if ending in ("csv", "xls", "xlsx", "ods"):
        return "table"
    if ending in ("txt", "md", "log", "doc", "docx", "odt", "rtf"):
        return "text"
    return "pdf" if ending == "pdf" else "other"
