"""The HTTP side of an upload: the form is read once, each file directly into the storage folder."""

import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context

import gevent
from flask import g, request, session
from werkzeug.exceptions import HTTPException

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
from app.files.upload.batches import UploadBatch, batch_of
from app.files.upload.disposition import Disposition
from app.files.upload.multipart import UploadParser
from app.files.upload.progress import ProgressNote
from app.files.upload.sent_names import DecodedName, decode_sent_names
from app.files.upload.services import ReceivedFile, store_uploads
from app.text import N_, Bytes, read_count
from app.web.posts.bodies import has_body, is_form_or_empty
from app.web.posts.csrf import check_csrf

# A form may hold several files, each up to the limit.
FORM_FILES = 10
FORM_PARTS = 10_000  # a folder of many files is one form
# The field with the path of the folder in which the files are stored; without it, the root.
INTO = "into"
# A text of the client that all forms of one upload have in common, and of how many files and bytes
# that is, which clients need not say.
BATCH, FILES, BYTES = "batch", "files", "bytes"
# How long a form may take: it would occupy the server, and go on after its sender may no longer
# upload. Seconds, and bytes a second.
LEAST_SECONDS, LEAST_SPEED = 60, 30_000
# How often its progress is noted, and how often it is asked whether the sender may still upload.
NOTE_SECONDS, ASK_SECONDS = 2, 10
# For how long the rest of a refused request is read and discarded: a client that is still sending
# when the connection closes would report a broken connection instead of our response.
DRAIN_SECONDS = 30


class TooSlow(DomainError):
    """The form did not arrive in time."""

    status = 408
    text = N_("The upload took too long. Nothing was stored. Send less at a time.")


def receive() -> tuple[list[ReceivedFile], bool]:
    """Read the form of this request and store its files. Returns none if no file was selected, and
    whether there is a field for files."""
    parser = open_form()
    try:
        read_form(parser)
        if not actor().by_token:  # scripts get the plain lines of the original instead
            if not is_form_or_empty():
                raise NotAForm()
            check_csrf()
            check_session()
        files = sent_files(parser)
        store_uploads(actor(), files, request.form.get(INTO, ""), read_batch(request.form))
    finally:
        parser.discard()
    return files, parser.has_file_field


def read_form(parser: UploadParser) -> None:
    """Have the form read by a greenlet of its own: within its time, and only as long as its sender
    may upload. Its progress is noted."""
    note, start = ProgressNote(actor().person_id), time.monotonic()
    ask_at = start + ASK_SECONDS
    reader = gevent.spawn(copy_context().run, read_or_error)
    try:
        while True:
            reader.join(max(0, min(NOTE_SECONDS, start + time_limit() - time.monotonic())))
            if reader.ready():
                break
            if time.monotonic() >= start + time_limit():
                raise TooSlow()
            if time.monotonic() >= ask_at:
                check_sender()
                ask_at = time.monotonic() + ASK_SECONDS
            batch = read_batch(parser.fields)
            note.write(parser, received_bytes(), request.content_length or 0, batch)
    finally:
        reader.kill()
        note.remove()
    if reader.value is not None:
        raise reader.value


def check_sender() -> None:
    """Unauthorized or Forbidden if the sender may not upload any more."""
    check_session()
    with tolerated("whether an upload may go on was not asked"):
        check_still_permitted(actor(), Role.EDITOR)
    release_connection()


def read_batch(fields: Mapping[str, str]) -> UploadBatch | None:
    """The upload to which a form belongs by its text fields."""
    if not (key := fields.get(BATCH)):
        return None
    files, size = (read_count(fields.get(name)) for name in (FILES, BYTES))
    return batch_of(actor(), key, fields.get(INTO, ""), files, size)


def time_limit() -> float:
    """Seconds that the form may take by its size; if that is unknown, by what has arrived."""
    size = request.content_length or received_bytes()
    return LEAST_SECONDS + float(size) / LEAST_SPEED


def received_bytes() -> int:
    """How much of the body has arrived."""
    return int(g.body.received) if has_body() else 0


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


def sent_files(parser: UploadParser) -> list[ReceivedFile]:
    """Every file of the form, whatever the name of its field, and every part that is damaged. A
    field without a selected file is sent with an empty name."""
    parts = [part for part in parser.parts if not is_empty_field(*part)]
    raw = [part.filename for part, _file in parts if isinstance(part.filename, bytes)]
    decoded = dict(zip(raw, decode_sent_names(raw), strict=True))
    for part, file in parts:
        set_name(file, part, decoded)
    return [file for _part, file in parts]


def is_empty_field(part: Disposition, file: ReceivedFile) -> bool:
    """True for the field of a browser in which no file was selected."""
    incoming = file.incoming
    return not part.filename and bool(
        incoming and not incoming.size and not incoming.problem and not file.error
    )


def set_name(
    file: ReceivedFile, part: Disposition, decoded: dict[bytes, DecodedName | None]
) -> None:
    """Give a file its name; if that cannot be read, it is shown with escape codes."""
    sent = part.filename
    name = decoded[sent] if isinstance(sent, bytes) else sent
    if name is None and sent is not None:
        unknown = Invalid(N_("The encoding of the file name is not known. Use UTF-8."))
        file.error = file.error or unknown
    if name is None:
        shown = sent if isinstance(sent, bytes) else (part.field or "").encode()
        name = shown.decode("utf-8", "backslashreplace")
    if isinstance(name, DecodedName):
        name, file.guessed_encoding = name
    file.name, file.with_folder = name, part.field == "folder"


def open_form() -> UploadParser:
    """Have the form of this request parsed into the storage folder, with the size limit of uploads.
    Called before any of it is read."""
    own, coming = settings(), request.content_length or 0
    parser = UploadParser(
        own.files_dir,
        own.upload_max_bytes,
        max_form_memory_size=request.max_form_memory_size,
        max_form_parts=FORM_PARTS,
    )
    if request.mimetype != "multipart/form-data":
        return parser  # it cannot contain a file, and the small limit of other forms applies
    if coming > form_limit():
        limits = {"each": Bytes(own.upload_max_bytes), "form": Bytes(form_limit())}
        raise TooLarge(N_("A file can have at most %(each)s, a form %(form)s.", **limits))
    if not has_space(own.files_dir, coming):
        raise NoSpace()
    request.max_content_length = form_limit()
    request.make_form_data_parser = lambda: parser  # type: ignore[method-assign]
    return parser


def form_limit() -> int:
    return settings().upload_max_bytes * FORM_FILES + 1_000_000


def discard_body() -> None:
    """Read and discard the rest of a refused request's body: at most the size of one file, for at
    most DRAIN_SECONDS."""
    request.max_content_length = 2**62  # without effect once the form is being read
    left = settings().upload_max_bytes + 1_000_000
    # The client may have disconnected, send more than allowed, or send so slowly that a block
    # takes longer.
    with suppress(HTTPException, OSError), gevent.Timeout(DRAIN_SECONDS, OSError):
        while left > 0 and (block := request.stream.read(BLOCK)):
            left -= len(block)
            yield_to_hub()
