"""Whether a file's content matches its extension, and the Content-Type it is sent with.

Files are never shown in a page, only sent as attachments; this check stops a program from being
passed off as a picture. Files whose extension is not in the table are accepted unchecked.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.files.storage.folder import read_blocks

HEAD = 1024
# Bytes that do not occur in text in any superset of ASCII. Tab, line ends, form feed, escape
# (ISO-2022) and the end-of-file character of DOS do.
BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
UTF_16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ICON_KINDS = {
    "pdf": ("pdf",),
    "image": ("png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "tif", "tiff"),
    "archive": ("zip", "gz", "7z", "tar", "xz", "rar"),
    "table": ("csv", "xls", "xlsx", "ods"),
    "audio": ("mp3", "aac", "m4a", "wav", "flac", "ogg", "oga", "opus"),
    "video": ("mp4", "m4v", "mov", "ogv", "webm", "mkv", "avi"),
    "text": ("txt", "md", "log", "doc", "docx", "odt", "rtf"),
}

Signature = Callable[[bytes], bool]


@dataclass(frozen=True)
class FileType:
    """A type of file: its Content-Type, and how its first bytes are recognised."""

    content_type: str
    signature: Signature | None = None
    is_text: bool = False


def starts_with(*prefixes: bytes) -> Signature:
    """A signature that is one of these first bytes."""
    return lambda head: head.startswith(prefixes)


JPEG = FileType("image/jpeg", starts_with(b"\xff\xd8\xff"))
# PDF readers accept some bytes before the signature, and such files exist.
PDF = FileType("application/pdf", lambda head: b"%PDF-" in head)
ZIP = starts_with(b"PK\x03\x04", b"PK\x05\x06")
OFFICE = "application/vnd.openxmlformats-officedocument"
FILE_TYPES: dict[str, FileType] = {
    "pdf": PDF,
    "png": FileType("image/png", starts_with(b"\x89PNG\r\n\x1a\n")),
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": FileType("image/gif", starts_with(b"GIF87a", b"GIF89a")),
    "txt": FileType("text/plain", is_text=True),
    "csv": FileType("text/csv", is_text=True),
    "md": FileType("text/markdown", is_text=True),
    "zip": FileType("application/zip", ZIP),
    "docx": FileType(f"{OFFICE}.wordprocessingml.document", ZIP),
    "xlsx": FileType(f"{OFFICE}.spreadsheetml.sheet", ZIP),
    "pptx": FileType(f"{OFFICE}.presentationml.presentation", ZIP),
    "gz": FileType("application/gzip", starts_with(b"\x1f\x8b")),
}
# What a text file must not start with.
BINARY_SIGNATURES = [
    starts_with(b"%PDF-"),
    *(kind.signature for kind in FILE_TYPES.values() if kind.signature and kind is not PDF),
]


def content_type(path: Path, extension: str) -> str | None:
    """The Content-Type of a file with this extension, or None if its content is of another type.
    An empty file matches every extension."""
    kind = FILE_TYPES.get(extension, FileType("application/octet-stream"))
    if path.stat().st_size == 0:
        return kind.content_type
    with path.open("rb") as file:
        head = file.read(HEAD)
    if kind.is_text:
        charset = text_charset(path, head)
        return None if charset is None else f"{kind.content_type}{charset}"
    if kind.signature is not None and not kind.signature(head):
        return None
    return kind.content_type


def text_charset(path: Path, head: bytes) -> str | None:
    """The charset parameter of a text: UTF-8 or, with a byte order mark, UTF-16; '' for another
    encoding, which cannot be determined reliably; None if the file is not text."""
    if head.startswith(UTF_16_BOMS):
        return "; charset=utf-16" if decodes(path, "utf-16") else None
    if any(matches(head) for matches in BINARY_SIGNATURES):
        return None
    if any(BINARY.search(block) for block in read_blocks(path)):
        return None
    return "; charset=utf-8" if decodes(path, "utf-8") else ""


def decodes(path: Path, encoding: str) -> bool:
    """True if the whole file is valid in an encoding; it is read block by block."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in read_blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def icon_kind(extension: str) -> str:
    """The icon of a file in a list."""
    return next((kind for kind, group in ICON_KINDS.items() if extension in group), "other")
