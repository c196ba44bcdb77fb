"""Reading the form of an upload part by part, each file directly into the storage folder.

Werkzeug decodes the parts. Its own parser gives up the whole form for one part that it cannot read;
here every file and every damaged part has its place in `parts`, and the others are stored.
"""

import re
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.sansio import multipart

from app.errors import DomainError
from app.files.storage.folder import Incoming
from app.files.upload.disposition import Disposition, read_disposition
from app.files.upload.services import ReceivedFile
from app.text import N_, Message

# The size limit of everything in a form but its files, which is held in memory. A folder of 10,000
# files has part headers of about 4 MB.
IN_MEMORY_BYTES = 10_000_000
# Read and written at once, and of a client that sends a block in so many seconds: gunicorn reads up
# to a megabyte ahead, and copies what is left of it for every smaller block. Blocks of slow clients
# would take that much memory each for a long time.
BLOCK, LARGE_BLOCK, FAST_SECONDS = 256 * 1024, 1024 * 1024, 0.05
CONTINUATION = re.compile(rb"(?:\r\n|\r|\n)[ \t]+")
CUT_OFF = N_("The form ends in the middle of this file. Send it again.")
UNREADABLE = N_("This part of the form could not be read.")
NO_PARTS = N_("The form could not be read: its parts were not found.")
NAMELESS = Disposition()


class BrokenPart(DomainError):
    """A part of a form that is damaged."""

    status = 400


class PartDecoder(multipart.MultipartDecoder):
    """Werkzeug's decoder, which reads the headers of a part as UTF-8 and gives up the form if they
    are not, or lack something. The names are in `disposition`, as they were sent."""

    disposition = Disposition()
    content_type = ""
    head_size = 0

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        """The headers of a part; called by Werkzeug, which needs to know only if it is a file."""
        # As bytes: for a text of Latin-1 characters the byte 0x85 ends a line, and 0x85 and 0xA0
        # are white space. Many Chinese characters contain them.
        found: dict[str, str] = {}
        for line in CONTINUATION.sub(b" ", bytes(data)).splitlines():
            name, _colon, value = line.partition(b":")
            found.setdefault(
                name.strip().lower().decode("latin-1"), value.strip().decode("latin-1")
            )
        self.head_size = len(data)
        self.content_type = found.get("content-type", "").lower()
        self.disposition = read_disposition(found.get("content-disposition", ""))
        kind = "" if self.disposition.filename is None else '; filename=""'
        return Headers([("Content-Disposition", f'form-data; name=""{kind}')])


class UploadParser(FormDataParser):
    """The parser of one form; the files are not in what it returns but in `parts`, in the order of
    arrival. What has arrived of the text fields is in `fields`."""

    def __init__(self, folder: Path, limit: int, **limits: Any) -> None:
        super().__init__(**limits)
        self.folder, self.limit = folder, limit
        self.parts: list[tuple[Disposition, ReceivedFile]] = []
        self.fields = MultiDict[str, str]()
        self.has_file_field = False
        self.in_memory = 0

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Read the form; called by Werkzeug. Returns the stream, the text fields, no files."""
        boundary = (options or {}).get("boundary", "").encode("latin-1", "replace")
        if boundary:
            self.read_parts(stream, boundary)
        elif content_length:
            self.add_broken(NO_PARTS)
        return stream, self.fields, MultiDict()

    def read_parts(self, stream: IO[bytes], boundary: bytes) -> None:
        # How much the decoder may hold: a block, and what is not complete yet.
        most = LARGE_BLOCK + (self.max_form_memory_size or IN_MEMORY_BYTES)
        decoder = PartDecoder(boundary, most, max_parts=self.max_form_parts)
        file: ReceivedFile | None = None  # the one that is being received
        text = bytearray()  # the field that is being received
        for event in events(decoder, stream):
            match event:
                case multipart.File():
                    self.hold(decoder.head_size)
                    self.has_file_field = True
                    file = ReceivedFile("", Incoming(self.folder, self.limit))
                    self.parts.append((decoder.disposition, file))
                case multipart.Field():
                    self.hold(decoder.head_size)
                    text.clear()
                    self.check_field(decoder)
                case multipart.Data() if file and file.incoming:
                    file.incoming.write(event.data)
                    if not event.more_data:
                        file.incoming.finish()
                        file = None
                case multipart.Data():
                    self.hold(len(event.data))
                    text += event.data
                    if len(text) > (self.max_form_memory_size or IN_MEMORY_BYTES):
                        raise RequestEntityTooLarge()
                    if not event.more_data:
                        name = decoder.disposition.field or ""
                        self.fields.add(name, text.decode("utf-8", "replace"))
        self.check_end(decoder, file)

    def add_broken(self, problem: Message, disposition: Disposition = NAMELESS) -> None:
        file = ReceivedFile("", None, error=BrokenPart(problem))
        self.parts.append((disposition, file))

    def check_field(self, decoder: PartDecoder) -> None:
        """Note a part that is neither a file nor a text field: one without a name, with a header
        that was not read to its end, or with parts of its own (RFC 2388), which could be files."""
        disposition = decoder.disposition
        is_field = disposition.field is not None and disposition.complete
        if not is_field or decoder.content_type.startswith("multipart/"):
            self.add_broken(UNREADABLE, disposition)

    def check_end(self, decoder: PartDecoder, file: ReceivedFile | None) -> None:
        """Note what the form has lost at its end."""
        if file is not None:
            file.error = BrokenPart(CUT_OFF)
        elif decoder.state is multipart.State.PREAMBLE and decoder.buffer:
            self.add_broken(NO_PARTS)
        elif decoder.state is multipart.State.PART and decoder.buffer.strip():
            self.add_broken(UNREADABLE)

    def hold(self, size: int) -> None:
        """Count what is held in memory; Werkzeug limits each text field, this all together."""
        self.in_memory += size
        if self.in_memory > IN_MEMORY_BYTES:
            raise RequestEntityTooLarge()

    def discard(self) -> None:
        """Discard the files that were not stored."""
        for _part, file in self.parts:
            if file.incoming is not None:
                file.incoming.discard()


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a form, in larger blocks while they come fast."""
    size, began = BLOCK, time.monotonic()
    while block := stream.read(size):
        size = LARGE_BLOCK if time.monotonic() - began < FAST_SECONDS else BLOCK
        yield block
        began = time.monotonic()


def events(decoder: PartDecoder, stream: IO[bytes]) -> Iterator[multipart.Event]:
    """What Werkzeug finds in a form, until it ends or is cut off."""
    for block in chain(blocks(stream), [None]):
        decoder.receive_data(block)
        while True:
            try:
                event = decoder.next_event()
            except ValueError:  # the form is not complete
                return
            if isinstance(event, multipart.NeedData | multipart.Epilogue):
                break
            yield event
