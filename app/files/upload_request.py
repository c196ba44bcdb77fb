"""The HTTP side of an upload: the form is read once, each file straight into the storage folder."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from flask import Request, current_app, request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.concurrency import yield_to_hub
from app.current import actor, settings
from app.database.engine import DATABASE_AWAY
from app.disk import has_space
from app.errors import DomainError, Locked, NoSpace, TooLarge
from app.extensions import csrf
from app.files import purging, services, storage
from app.files.names import clean_path, printable
from app.files.services import StoredFile
from app.web.error_pages import STATUS_TEXTS
from app.web.formatting import format_size

# A form may hold several files, each up to the limit.
FORM_FILES = 10
# The most bytes of a form beside its files. A folder of 10,000 files has heads of some 4 MB.
IN_MEMORY_BYTES = 10_000_000
# What is read and thrown away after a refusal: a client that is still sending when the connection
# closes would report a broken connection instead of our answer.
DRAIN_SECONDS = 30


class FormBody:
    """The body of an upload as Werkzeug's form parser reads it. What is in none of its files stays
    in memory (text fields, the heads of parts); Werkzeug bounds each field, this all of them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.in_memory = 0

    def read(self, format_size: int = -1) -> bytes:
        """The next block."""
        if self.in_memory > IN_MEMORY_BYTES:
            raise RequestEntityTooLarge()
        block = self.stream.read(format_size)
        self.in_memory += len(block)
        return block


class FormFile(storage.Incoming):
    """The same as Werkzeug's form parser uses it: it writes, rewinds once at the end of the part,
    and closes at the end of the request."""

    def __init__(self, body: FormBody, folder: Path, limit: int) -> None:
        super().__init__(folder, limit)
        self.body = body

    def write(self, data: bytes) -> int:
        """These bytes are on disk, or thrown away."""
        self.body.in_memory -= len(data)
        return super().write(data)

    def seek(self, _offset: int, _whence: int = 0) -> int:
        """The part is complete."""
        self.finish()
        return 0

    def close(self) -> None:
        """The request is over: what was not kept is not wanted."""
        self.discard()


class UploadRequest(Request):
    """Flask's request, whose form can put its files into the storage folder."""

    into_storage = False

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        """Werkzeug asks for a stream for each file of a form."""
        if not self.into_storage:
            return super()._get_file_stream(*args, **kwargs)
        own = settings()
        stream = FormFile(self.__dict__["body"], own.files_dir, own.upload_max_bytes)
        self.__dict__.setdefault("received", []).append(stream)
        return cast(IO[bytes], stream)

    def _get_stream_for_parsing(self) -> IO[bytes]:
        """Werkzeug asks for the body of a form."""
        stream = super()._get_stream_for_parsing()
        if not self.into_storage:
            return stream
        return cast(IO[bytes], self.__dict__.setdefault("body", FormBody(stream)))

    def close(self) -> None:
        """Also when the form broke off in the middle and Werkzeug knows of no file."""
        super().close()
        for stream in self.__dict__.get("received", ()):
            stream.close()


@dataclass
class FileResult:
    """What became of one file of a form."""

    path: str
    kept: StoredFile | None = None
    status: int = 200
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def receive() -> list[FileResult]:
    """Read the form of this request and keep what can be kept, each file on its own. An empty list
    says that no file was chosen; None of the fields at all is told by `has_file_part()`."""
    open_form()
    person = actor()
    if not person.by_token:
        csrf.protect()
    sent = [
        (part, name == "folder")
        for name in ("file", "folder")
        for part in request.files.getlist(name)
        if part.filename  # a field in which nothing was chosen is sent with an empty name
    ]
    outcomes = [keep(person.person_id, part, with_folder) for part, with_folder in sent]
    tidy()
    return outcomes


def tidy() -> None:
    """Delete what is due; what was uploaded is kept, so a busy database is no reason to refuse."""
    try:
        purging.purge_removed()
    except (*DATABASE_AWAY, Locked):
        current_app.logger.warning("removed files were not purged: the database is busy or away")


def has_file_part() -> bool:
    """Whether the form that was read has one of our fields."""
    return "file" in request.files or "folder" in request.files


def open_form() -> None:
    """Let the form of this request be as large as uploads may be; nothing of it is read yet."""
    folder = settings().files_dir
    coming = request.content_length or 0
    if request.mimetype != "multipart/form-data":
        return  # there is no file in it: the small limit of other forms stays
    if coming > form_limit():
        raise TooLarge(limits_in_words())
    if not has_space(folder, coming):
        raise NoSpace()
    storage.remove_leftovers(folder)
    request.max_content_length = form_limit()
    cast(UploadRequest, request).into_storage = True


def form_limit() -> int:
    """The most bytes that one form may have."""
    return settings().upload_max_bytes * FORM_FILES + 1_000_000


def limits_in_words() -> str:
    """What a refusal for size says."""
    each, all_of_it = format_size(settings().upload_max_bytes), format_size(form_limit())
    return str(_("A file has at most %(each)s, a form %(all)s.", each=each, all=all_of_it))


def keep(person_id: int, part: FileStorage, with_folder: bool) -> FileResult:
    """Keep one file of the form, or say why not."""
    outcome = FileResult(printable(part.filename or ""))
    incoming = cast(FormFile, part.stream)
    try:
        path = clean_path(part.filename or "", with_folder)
        outcome.path = f"{path.folder}/{path.name}" if path.folder else path.name
        if path.trimmed:
            outcome.notes.append(_("Blanks around the name and dots at its end were taken off."))
        outcome.kept = services.store_upload(person_id, path, incoming)
    except DomainError as error:
        outcome.status, outcome.problem = error.status, error.message
        incoming.discard()
    except DATABASE_AWAY:
        # The other files of the form are told apart from this one, kept or not.
        outcome.status, outcome.problem = 503, str(STATUS_TEXTS[503][1])
        incoming.discard()
    else:
        if outcome.kept.version > 1:
            outcome.notes.append(_("Version %(n)d of this file.", n=outcome.kept.version))
    return outcome


def drain() -> None:
    """Read what is left of a refused request's body and throw it away: at most one file's worth,
    for at most DRAIN_SECONDS."""
    request.max_content_length = 2**62  # of no effect once the form was opened
    left, end = settings().upload_max_bytes + 1_000_000, time.monotonic() + DRAIN_SECONDS
    try:
        while left > 0 and time.monotonic() < end:
            block = request.stream.read(storage.BLOCK)
            if not block:
                break
            left -= len(block)
            yield_to_hub()
    except (HTTPException, OSError):
        return  # the client is gone, or sent more than was allowed
