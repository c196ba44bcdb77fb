"""Files of each kind, and the three kinds of clients that send them."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import TimeoutError as PoolTimeout
from urllib3 import encode_multipart_formdata
from werkzeug.test import TestResponse

from app.actor import Actor, Role, Via
from app.auth import queries
from app.current import settings
from app.database.engine import db
from app.files.models import File
from app.files.storage.folder import Incoming
from app.files.upload.services import ReceivedFile, StoredFile, store_uploads
from app.times import now
from tests.factories import add_person, add_token

REPORT = "报告 (终稿).pdf"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20) + b"\xff\xd9"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + _chunk(b"IEND", b"")
)
PLAIN = {"Accept": "*/*"}
JSON = {"Accept": "application/json"}


def some_text(length: int, seed: int = 1) -> bytes:
    """So many bytes of text, the same for the same seed; after 100 kB it repeats itself."""
    block = bytes(random.Random(seed).choices(b"abcdefghij klmnopqrstuvwxyz\n", k=100_003))
    return (block * (length // len(block) + 1))[:length]


def make_person(app: Flask, name: str, role: str = "editor") -> int:
    """The id of the person of this name, who is added if necessary."""
    with app.app_context():
        found = queries.find_person(name)
        return found.id if found else add_person(name, role)


class Script:
    """A script with a token, as curl or Python's requests would ask."""

    def __init__(self, app: Flask, role: str | None = "editor", name: str = "") -> None:
        self.app = app
        self.client = app.test_client()
        self.headers = dict(PLAIN)
        if role:
            self.person_id = make_person(app, name or f"{role}'s script", role)
            with app.app_context():
                self.token = add_token(self.person_id)
            self.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        # Buffered: the file that is sent is read and closed, as a server does.
        return self.client.get(path, headers={**self.headers, **named}, buffered=True)

    def upload(self, *files: tuple[str, bytes], field: str = "file", **headers: str) -> Any:
        """Send files, each a name and its bytes, in a form as `requests` writes it."""
        body, kind = encode_multipart_formdata([(field, file) for file in files])
        named = {**self.headers, **headers}
        return self.client.post("/upload", data=body, content_type=kind, headers=named)

    def upload_raw(self, name: str, data: bytes, end: bytes = b"\r\n--x--\r\n") -> TestResponse:
        """Send one file in a form written by hand, with a name that clients would not send."""
        return self.upload_parts((f'name="file"; filename="{name}"'.encode(), data), end=end)

    def upload_parts(
        self, *parts: tuple[bytes, bytes], end: bytes = b"\r\n--x--\r\n", **headers: str
    ) -> TestResponse:
        """Send parts written by hand: what follows "form-data; " in their headers, and content."""
        start = b"--x\r\nContent-Disposition: form-data; "
        form = b"\r\n".join(start + head + b"\r\n\r\n" + data for head, data in parts) + end
        return self.upload_form(form, **headers)

    def upload_form(self, form: bytes, boundary: str = "x", **headers: str) -> TestResponse:
        """Send the whole body of a form."""
        named = {**self.headers, **headers}
        kind = f"multipart/form-data; boundary={boundary}"
        return self.client.post("/upload", data=form, content_type=kind, headers=named)


def editor(person_id: int) -> Actor:
    """A person as an editor on a page."""
    return Actor(person_id, "somebody", Role.EDITOR)


def received(name: str, data: bytes = PDF, with_folder: bool = False) -> ReceivedFile:
    """A file of a form, inside an application context."""
    incoming = Incoming(settings().files_dir, settings().upload_max_bytes)
    incoming.write(data)
    return ReceivedFile(name, incoming, with_folder)


def parts(*files: tuple[str, bytes]) -> list[tuple[io.BytesIO, str]]:
    """Files as the test client sends them."""
    return [(io.BytesIO(data), name) for name, data in files]


def store(
    owner_id: int, name: str, data: bytes = PDF, with_folder: bool = False, via: Via = Via.PAGE
) -> StoredFile:
    """Store a file as an upload does, inside an application context."""
    file = received(name, data, with_folder)
    store_uploads(replace(editor(owner_id), via=via), [file])
    if file.incoming:
        file.incoming.discard()
    if file.stored is None:
        raise file.error or AssertionError(name)
    return file.stored


def store_by_script(
    owner_id: int, name: str, data: bytes = PDF, with_folder: bool = False
) -> StoredFile:
    """Store a file as a program does; as a job, which unlike a script needs no token."""
    return store(owner_id, name, data, with_folder, Via.JOB)


@contextmanager
def all_connections_taken() -> Iterator[None]:
    """Others hold every connection to the database; inside an application context. Waiting for one
    takes a moment instead of seconds."""
    pool: Any = db.engine.pool
    patience, pool._timeout = pool._timeout, 0.05
    with ExitStack() as taken:
        taken.callback(setattr, pool, "_timeout", patience)
        with suppress(PoolTimeout):
            while True:
                taken.enter_context(db.engine.connect())
        yield


def without_connection(function: Callable[[], Any]) -> Callable[[], Any]:
    """A function that finds all connections to the database taken."""

    def run() -> Any:
        db.session.rollback()
        with all_connections_taken():
            return function()

    return run


def age(file_id: int, days: float) -> None:
    """Have a removed file been removed so many days ago."""
    moment = now() - timedelta(days=days)
    db.session.execute(update(File).where(File.id == file_id).values(removed_at=moment))
    db.session.commit()


def files_dir(app: Flask) -> Path:
    folder: Path = app.config["SETTINGS"].files_dir
    return folder


def on_disk(folder: Path) -> list[Path]:
    """All files in the storage folder but the one that is locked."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
