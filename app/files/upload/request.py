"""The HTTP side of an upload: the form is read once, each file directly into the storage folder."""

import time
from pathlib import Path
from typing import IO, Any, cast

from flask import Request, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.concurrency import yield_to_hub
from app.current import actor, settings
from app.disk import has_space
from app.errors import NoSpace, NotAForm, TooLarge
from app.files.storage.folder import BLOCK, Incoming
from app.files.upload.services import SentFile, UploadResult, store_uploads
from app.text import N_, Bytes
from app.web.posts.bodies import is_form_or_empty
from app.web.posts.csrf import check_csrf

# A form may hold several files, each up to the limit.
FORM_FILES = 10
FORM_PARTS = 10_000  # a folder of many files is one form
# The size limit of everything in a form but its files. A folder of 10,000 files has part headers of
# about 4 MB.
IN_MEMORY_BYTES = 10_000_000
# For how long the rest of a refused request is read and discarded: a client that is still sending
# when the connection closes would report a broken connection instead of our response.
DRAIN_SECONDS = 30


class FormBody:
    """The body of an upload as Werkzeug's form parser reads it. Everything but the files is held in
    memory (text fields, part headers); Werkzeug limits each field, this class all of them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.in_memory = 0

    def read(self, size: int = -1) -> bytes:
        if self.in_memory > IN_MEMORY_BYTES:
            raise RequestEntityTooLarge()
        block = self.stream.read(size)
        self.in_memory += len(block)
        return block


class FormFile(Incoming):
    """An incoming file as a stream for Werkzeug's form parser, which writes, rewinds once at the
    end of the part, and closes at the end of the request."""

    def __init__(self, body: FormBody, folder: Path, limit: int) -> None:
        super().__init__(folder, limit)
        self.body = body

    def write(self, data: bytes) -> int:
        """Write a block, which is then no longer in memory."""
        self.body.in_memory -= len(data)
        return super().write(data)

    def seek(self, _offset: int, _whence: int = 0) -> int:
        """The part is complete."""
        self.finish()
        return 0

    def close(self) -> None:
        """The request has ended: discard the file unless it was stored."""
        self.discard()


class UploadRequest(Request):
    """Flask's request, with an option to write the files of a form into the storage folder."""

    into_storage = False
    form_body: FormBody | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.received: list[FormFile] = []

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        """The stream for one file of a form; called by Werkzeug."""
        if self.form_body is None:
            return super()._get_file_stream(*args, **kwargs)
        own = settings()
        stream = FormFile(self.form_body, own.files_dir, own.upload_max_bytes)
        self.received.append(stream)
        return cast(IO[bytes], stream)

    def _get_stream_for_parsing(self) -> IO[bytes]:
        """The body of a form; called by Werkzeug."""
        stream = super()._get_stream_for_parsing()
        if not self.into_storage:
            return stream
        self.form_body = self.form_body or FormBody(stream)
        return cast(IO[bytes], self.form_body)

    def close(self) -> None:
        """Discard files also when the form was cut off, of which Werkzeug knows no files."""
        super().close()
        for stream in self.received:
            stream.close()


def receive() -> list[UploadResult]:
    """Read the form of this request and store its files. Returns [] if no file was selected;
    `has_file_part()` tells a missing field from an empty one."""
    open_form()
    if not actor().by_token:  # scripts get the plain lines of the original instead
        if not is_form_or_empty():
            raise NotAForm()
        check_csrf()
    sent = [
        SentFile(part.filename, cast(FormFile, part.stream), with_folder=name == "folder")
        for name in ("file", "folder")
        for part in request.files.getlist(name)
        if part.filename  # a field without a selected file is sent with an empty name
    ]
    return store_uploads(actor(), sent)


def has_file_part() -> bool:
    """True if the form has one of our fields."""
    return "file" in request.files or "folder" in request.files


def open_form() -> None:
    """Raise the size limit of this request's form to that of uploads, before any of it is read."""
    if request.mimetype != "multipart/form-data":
        return  # it cannot contain a file, and the small limit of other forms applies
    folder, coming = settings().files_dir, request.content_length or 0
    if coming > form_limit():
        limits = {"each": Bytes(settings().upload_max_bytes), "form": Bytes(form_limit())}
        raise TooLarge(N_("A file can have at most %(each)s, a form %(form)s.", **limits))
    if not has_space(folder, coming):
        raise NoSpace()
    request.max_content_length, request.max_form_parts = form_limit(), FORM_PARTS
    cast(UploadRequest, request).into_storage = True


def form_limit() -> int:
    return settings().upload_max_bytes * FORM_FILES + 1_000_000


def discard_body() -> None:
    """Read and discard the rest of a refused request's body: at most the size of one file, for at
    most DRAIN_SECONDS."""
    request.max_content_length = 2**62  # without effect once the form is being read
    left, end = settings().upload_max_bytes + 1_000_000, time.monotonic() + DRAIN_SECONDS
    try:
        while left > 0 and time.monotonic() < end:
            block = request.stream.read(BLOCK)
            if not block:
                break
            left -= len(block)
            yield_to_hub()
    except (HTTPException, OSError):
        return  # the client disconnected, or sent more than allowed
