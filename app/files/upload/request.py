"""The HTTP side of an upload: the form is read once, each file directly into the storage folder."""

import time
from contextvars import copy_context
from typing import cast

import gevent
from flask import Request, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from app.actor import Role
from app.auth.queries import ACCESS_ENDED, check_still_permitted
from app.auth.sessions.lookup import has_ended
from app.concurrency import yield_to_hub
from app.current import actor, settings
from app.database.engine import release_connection
from app.database.failures import tolerated
from app.disk import has_space
from app.errors import DomainError, Invalid, NoSpace, NotAForm, TooLarge, Unauthorized
from app.files.storage.folder import BLOCK
from app.files.upload.multipart import BrokenPart, FormPart, UploadParser
from app.files.upload.sent_names import decode_sent_names
from app.files.upload.services import ReceivedFile, store_uploads
from app.text import N_, Bytes
from app.web.posts.bodies import is_form_or_empty
from app.web.posts.csrf import check_csrf

# A form may hold several files, each up to the limit.
FORM_FILES = 10
FORM_PARTS = 10_000  # a folder of many files is one form
# How long a form may take: it would occupy the server, and go on after its sender may no longer
# upload. Seconds, and bytes a second.
LEAST_SECONDS, LEAST_SPEED = 60, 30_000
# How often it is asked whether the sender may still upload.
ASK_SECONDS = 10
# For how long the rest of a refused request is read and discarded: a client that is still sending
# when the connection closes would report a broken connection instead of our response.
DRAIN_SECONDS = 30


class TooSlow(DomainError):
    """The form did not arrive in time."""

    status = 408

    def __init__(self) -> None:
        super().__init__(N_("The upload took too long. Nothing was stored. Send less at once."))


class UploadRequest(Request):
    """Flask's request, with an option to write the files of a form into the storage folder."""

    into_storage = False
    parser: UploadParser | None = None

    def make_form_data_parser(self) -> FormDataParser:
        """The parser of this form; called by Werkzeug."""
        if not self.into_storage:
            return super().make_form_data_parser()
        own = settings()
        self.parser = UploadParser(
            own.files_dir,
            own.upload_max_bytes,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
        )
        return self.parser

    def close(self) -> None:
        """The request has ended: discard the files that were not stored."""
        super().close()
        if self.parser is not None:
            self.parser.discard()


def receive() -> list[ReceivedFile]:
    """Read the form of this request and store its files. Returns [] if no file was selected;
    `has_file_part()` tells a missing field from an empty one."""
    open_form()
    read_form()
    if not actor().by_token:  # scripts get the plain lines of the original instead
        if not is_form_or_empty():
            raise NotAForm()
        check_csrf()
        check_session()
    files = sent_files()
    store_uploads(actor(), files)
    return files


def read_form() -> None:
    """Have the form read by a greenlet of its own: within its time, and only as long as its sender
    may upload."""
    coming = request.content_length or form_limit()
    end = time.monotonic() + LEAST_SECONDS + coming / LEAST_SPEED
    reader = gevent.spawn(copy_context().run, read_or_error)
    try:
        while True:
            reader.join(max(0, min(ASK_SECONDS, end - time.monotonic())))
            if reader.ready():
                break
            if time.monotonic() >= end:
                raise TooSlow()
            check_session()
            with tolerated("whether an upload may go on was not asked"):
                check_still_permitted(actor(), Role.EDITOR)
            release_connection()
    finally:
        reader.kill()
    if reader.value is not None:
        raise reader.value


def read_or_error() -> Exception | None:
    """Read the form; returns an error, which gevent would log otherwise."""
    try:
        request.form  # noqa: B018 - reads it
    except Exception as error:
        return error
    return None


def check_session() -> None:
    """Unauthorized if the session has ended since the request began."""
    if not actor().by_token and has_ended(session.sid):  # type: ignore[attr-defined]
        raise Unauthorized(ACCESS_ENDED)


def sent_files() -> list[ReceivedFile]:
    """Every file of the form, whatever the name of its field, and every part that is damaged. A
    field without a selected file is sent with an empty name."""
    parser = cast(UploadRequest, request).parser
    parts = [part for part in parser.parts if not is_empty_field(part)] if parser else []
    raw = [name for part in parts if isinstance(name := part.disposition.filename, bytes)]
    decoded = dict(zip(raw, decode_sent_names(raw), strict=True))
    return [sent_file(part, decoded) for part in parts]


def is_empty_field(part: FormPart) -> bool:
    """True for the field of a browser in which no file was selected."""
    incoming = part.incoming
    return not part.disposition.filename and bool(
        incoming and not incoming.size and not incoming.problem and not part.problem
    )


def sent_file(part: FormPart, decoded: dict[bytes, str | None]) -> ReceivedFile:
    """A part with its name; if that cannot be read, the name is shown with escape codes."""
    field, filename = part.disposition
    name = decoded[filename] if isinstance(filename, bytes) else filename
    error: DomainError | None = BrokenPart(part.problem) if part.problem else None
    if name is None and filename is not None:
        error = error or Invalid(N_("The encoding of the file name is not known. Use UTF-8."))
    if name is None:
        shown = filename if isinstance(filename, bytes) else (field or "").encode()
        name = shown.decode("utf-8", "backslashreplace")
    return ReceivedFile(name, part.incoming, with_folder=field == "folder", error=error)


def has_file_part() -> bool:
    """True if the form has a field for files."""
    parser = cast(UploadRequest, request).parser
    return parser is not None and parser.has_file_field


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
