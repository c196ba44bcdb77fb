"""How a file is shown in its page: by its extension, if its first bytes agree. The types are ours;
the type that was stored with the file is that of a download."""

import re
from dataclasses import dataclass

from app.files.storage.content import BINARY, FILE_TYPES, UTF_16_BOMS, Signature, starts_with
from app.text import N_, Message

HEAD = 4096  # bytes by which a kind is recognised


@dataclass(frozen=True)
class PreviewKind:
    """A way to show files: `shown_as` is the part of the page, `content_type` that of the preview;
    for a picture `decoder` is the name of the only decoder that reads it."""

    shown_as: str
    content_type: str = ""
    signature: Signature | None = None
    decoder: str = ""


def riff(form: bytes) -> Signature:
    """The signature of a RIFF file of some form."""
    return lambda head: head.startswith(b"RIFF") and head[8:12] == form


def base_media(head: bytes) -> bool:
    """True for MP4 and what is like it."""
    return head[4:8] == b"ftyp"


def mpeg_audio(head: bytes) -> bool:
    """True for MP3 and AAC, with a tag or without."""
    return head.startswith(b"ID3") or re.match(rb"\xff[\xe0-\xff]", head) is not None


def picture(extension: str, decoder: str) -> PreviewKind:
    return PreviewKind("picture", "image/webp", FILE_TYPES[extension].signature, decoder)


JPEG = picture("jpg", "jpeg")
OGG = starts_with(b"OggS")
TEXT, TABLE, NOTHING = PreviewKind("text"), PreviewKind("table"), PreviewKind("nothing")
KINDS = {
    "png": picture("png", "png"),
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": picture("gif", "gif"),
    "webp": PreviewKind("picture", "image/webp", riff(b"WEBP"), "webp"),
    "bmp": PreviewKind("picture", "image/webp", starts_with(b"BM"), "bmp"),
    "pdf": PreviewKind("pdf", "application/pdf", FILE_TYPES["pdf"].signature),
    "mp3": PreviewKind("audio", "audio/mpeg", mpeg_audio),
    "aac": PreviewKind("audio", "audio/aac", mpeg_audio),
    "m4a": PreviewKind("audio", "audio/mp4", base_media),
    "wav": PreviewKind("audio", "audio/wav", riff(b"WAVE")),
    "flac": PreviewKind("audio", "audio/flac", starts_with(b"fLaC")),
    "ogg": PreviewKind("audio", "audio/ogg", OGG),
    "oga": PreviewKind("audio", "audio/ogg", OGG),
    "opus": PreviewKind("audio", "audio/ogg", OGG),
    "mp4": PreviewKind("video", "video/mp4", base_media),
    "m4v": PreviewKind("video", "video/mp4", base_media),
    "mov": PreviewKind("video", "video/quicktime", base_media),
    "ogv": PreviewKind("video", "video/ogg", OGG),
    "webm": PreviewKind("video", "video/webm", starts_with(b"\x1a\x45\xdf\xa3")),
}


def kind_of(extension: str, head: bytes) -> PreviewKind:
    """How to show a file that begins like this. Whatever looks like text is shown as text, so that
    a page or a drawing with scripts (HTML, SVG) is nothing but its source."""
    kind = KINDS.get(extension)
    if kind is not None and kind.signature is not None:
        return kind if kind.signature(head) else NOTHING
    if BINARY.search(head) and not head.startswith(UTF_16_BOMS):
        return NOTHING
    return TABLE if extension in ("csv", "tsv") else TEXT


def has_thumbnail(extension: str) -> bool:
    """True if a list may show a small picture of such files."""
    return extension in KINDS and KINDS[extension].shown_as == "picture"


# What people call the types of files.
NAMES = {
    "png": N_("PNG picture"),
    "jpg": N_("JPEG picture"),
    "jpeg": N_("JPEG picture"),
    "gif": N_("GIF picture"),
    "webp": N_("WebP picture"),
    "bmp": N_("BMP picture"),
    "tif": N_("TIFF picture"),
    "tiff": N_("TIFF picture"),
    "svg": N_("SVG drawing"),
    "pdf": N_("PDF document"),
    "doc": N_("Word document"),
    "docx": N_("Word document"),
    "odt": N_("OpenDocument text"),
    "xls": N_("Excel workbook"),
    "xlsx": N_("Excel workbook"),
    "ods": N_("OpenDocument spreadsheet"),
    "ppt": N_("PowerPoint presentation"),
    "pptx": N_("PowerPoint presentation"),
    "txt": N_("Text"),
    "log": N_("Text"),
    "md": N_("Markdown text"),
    "csv": N_("CSV table"),
    "tsv": N_("TSV table"),
    "html": N_("Web page"),
    "htm": N_("Web page"),
    "zip": N_("ZIP archive"),
    "gz": N_("gzip archive"),
    "mp3": N_("MP3 audio"),
    "aac": N_("AAC audio"),
    "m4a": N_("MPEG-4 audio"),
    "wav": N_("WAV audio"),
    "flac": N_("FLAC audio"),
    "ogg": N_("Ogg audio"),
    "oga": N_("Ogg audio"),
    "opus": N_("Opus audio"),
    "mp4": N_("MPEG-4 video"),
    "m4v": N_("MPEG-4 video"),
    "mov": N_("QuickTime video"),
    "ogv": N_("Ogg video"),
    "webm": N_("WebM video"),
}


def type_name(extension: str) -> Message:
    """What people call files of this extension."""
    if not extension:
        return N_("File without an extension")
    return NAMES.get(extension) or N_("%(extension)s file", extension=extension.upper())
