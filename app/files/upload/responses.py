"""Responses to uploads: one line per file for scripts, JSON for the page's own script, pages for
browsers. Scripts of the original program read the first line of the plain text; that line and
`kept` and `refused` never change."""

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, redirect, render_template, url_for
from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.current import actor
from app.errors import Fault
from app.files.names import printable
from app.files.plain_responses import FAILED, plain, wants_plain
from app.files.upload.results import save
from app.files.upload.services import ReceivedFile, StoredFile
from app.web.client import wants_page

UPLOADED = "file uploaded successfully"
NO_PART = "No file part"
NOT_SELECTED = "No selected file"


def describe(file: ReceivedFile) -> dict[str, Any]:
    """What became of one file, in the language of the request, as the page's script reads it."""
    stored = file.stored
    facts: dict[str, Any] = {
        "path": file.shown_path or _("(no name)"),
        "kept": stored is not None,
    }
    if stored is None:
        error = file.error or Fault()
        refusal = {**facts, "problem": error.message, "status": error.status}
        wait = error.headers.get("Retry-After")
        return {**refusal, "retry_after": int(wait)} if wait else refusal
    url = url_for("download.download_file", file_id=stored.id)
    return {**facts, **asdict(stored), "url": url, "notes": notes_on(file, stored)}


def notes_on(file: ReceivedFile, stored: StoredFile) -> list[str]:
    """How the name of a stored file differs from the sent one, and which version it is."""
    notes, sent = [], file.path
    if file.guessed_encoding:
        notes.append(_("The name was read as %(encoding)s.", encoding=file.guessed_encoding))
    if sent is not None and sent.shortened:
        path = printable(file.name)
        notes.append(_("Sent as %(path)s: the last part is the name.", path=path))
    if sent is not None and sent.trimmed:
        notes.append(_("Leading and trailing spaces and trailing dots were removed."))
    if stored.path != (path := file.shown_path):
        text = _("%(path)s is another file, which was sent under another name.", path=path)
        notes.append(text)
    if stored.version > 1:
        notes.append(_("Version %(n)d of this file.", n=stored.version))
    return notes


def status_of(files: list[dict[str, Any]]) -> int:
    """200 if all files were stored, 207 if some were; otherwise the status they were refused with,
    or 422 if those differ."""
    refused = {file["status"] for file in files if not file["kept"]}
    if not refused:
        return 200 if files else 422
    if any(file["kept"] for file in files):
        return 207
    return refused.pop() if len(refused) == 1 else 422


def answer_upload(received: list[ReceivedFile], has_part: bool) -> Response:
    """The response in the format that the client reads, with Retry-After if some of its files can
    be sent again."""
    files = [describe(file) for file in received]
    response = answer_files(files, has_part)
    waits = [file["retry_after"] for file in files if "retry_after" in file]
    if waits and response.status_code != 303:
        response.headers["Retry-After"] = str(max(waits))
    return response


def answer_files(files: list[dict[str, Any]], has_part: bool) -> Response:
    status = status_of(files)
    if not files:
        first = NOT_SELECTED if has_part else NO_PART
    else:
        first = UPLOADED if status in (200, 207) else FAILED
    if wants_page():
        return answer_page(files, status)
    if wants_plain():
        return plain(status, first, *map(line_of, files))
    response = jsonify(message=first, files=files)
    response.status_code = status
    return response


def line_of(file: dict[str, Any]) -> str:
    """One file: path, kept or refused, then id and SHA-256 or the reason, notes; tab-separated."""
    if not file["kept"]:
        return f"{file['path']}\trefused\t{file['problem']}"
    return "\t".join([file["path"], "kept", str(file["id"]), file["sha256"], *file["notes"]])


def answer_page(files: list[dict[str, Any]], status: int) -> Response:
    """Redirect a browser to the page of results. It is rendered here if nothing was stored, and
    if Redis is down: the files are stored, and after an error people would send them again."""
    if status in (200, 207):
        with suppress(RedisError):
            batch = save(actor().person_id, files)
            address = url_for("upload.upload_success", batch=batch)
            return redirect(address, 303)  # type: ignore[return-value]
    text = render_template("files/upload/upload_success.html", files=files, more=0, asked=True)
    return Response(text, status)
