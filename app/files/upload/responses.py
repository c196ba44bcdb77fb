"""Responses to uploads: one line per file for scripts, JSON for the page's own script, pages for
browsers. Scripts of the original program read the first line of the plain text; that line and
`kept` and `refused` never change."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify, redirect, render_template, url_for
from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.current import actor
from app.errors import DomainError
from app.files.plain_responses import FAILED, plain, wants_plain
from app.files.upload.results import save
from app.files.upload.services import StoredFile, UploadResult
from app.web.error_pages import STATUS_TEXTS
from app.web.negotiation import wants_page

UPLOADED = "file uploaded successfully"
NO_PART = "No file part"
NOT_SELECTED = "No selected file"


@dataclass
class FileResult:
    """The result of one file in the reader's language: stored, or a problem with its status."""

    path: str
    stored: StoredFile | None = None
    status: int = 200
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def describe(result: UploadResult) -> FileResult:
    """A result in words."""
    shown = FileResult(result.path, result.stored)
    if isinstance(result.error, DomainError):
        shown.status, shown.problem = result.error.status, result.error.message
    elif result.error:  # the database did not answer
        shown.status, shown.problem = 503, str(STATUS_TEXTS[503][1])
    if result.trimmed:
        shown.notes.append(_("Leading and trailing spaces and trailing dots were removed."))
    if result.stored and result.stored.version > 1:
        shown.notes.append(_("Version %(n)d of this file.", n=result.stored.version))
    return shown


def status_of(results: list[FileResult]) -> int:
    """200 if all files were stored, 207 if some were; otherwise the status they were refused with,
    or 422 if those differ."""
    refused = {result.status for result in results if not result.stored}
    if not refused:
        return 200 if results else 422
    if any(result.stored for result in results):
        return 207
    return refused.pop() if len(refused) == 1 else 422


def answer_upload(received: list[UploadResult], has_part: bool) -> Response:
    """The response in the format that the client reads."""
    results = [describe(result) for result in received]
    status = status_of(results)
    if not results:
        first = NOT_SELECTED if has_part else NO_PART
    else:
        first = UPLOADED if status in (200, 207) else FAILED
    if wants_page():
        return answer_page(results, status)
    if wants_plain():
        return plain(status, first, *map(line_of, results))
    response = jsonify(message=first, files=[as_json(result) for result in results])
    response.status_code = status
    return response


def line_of(result: FileResult) -> str:
    """One file: path, kept or refused, then id and SHA-256 or the reason, notes; tab-separated."""
    if result.stored is None:
        return f"{result.path}\trefused\t{result.problem}"
    cells = [result.path, "kept", str(result.stored.id), result.stored.sha256, *result.notes]
    return "\t".join(cells)


def as_json(result: FileResult) -> dict[str, Any]:
    """One file as the page's script reads it."""
    facts: dict[str, Any] = {"path": result.path, "kept": result.stored is not None}
    if result.stored is None:
        return {**facts, "problem": result.problem, "status": result.status}
    return {
        **facts,
        "id": result.stored.id,
        "version": result.stored.version,
        "size": result.stored.size,
        "sha256": result.stored.sha256,
        "url": url_for("download.download_file", file_id=result.stored.id),
        "notes": result.notes,
    }


def answer_page(results: list[FileResult], status: int) -> Response:
    """Redirect a browser to the page of results. It is rendered here if nothing was stored, and
    if Redis is down: the files are stored, and after an error people would send them again."""
    files = [as_json(result) for result in results]
    if status in (200, 207):
        with suppress(RedisError):
            batch = save(actor().person_id, files)
            address = url_for("upload.upload_success", batch=batch)
            return redirect(address, 303)  # type: ignore[return-value]
    text = render_template("files/upload/upload_success.html", files=files, more=0, asked=True)
    return Response(text, status)
