"""What an upload is answered: one line per file for scripts, JSON for the page's own script, and
pages for browsers. The first line of the plain text is what scripts of the original look for."""

from contextlib import suppress
from typing import Any

from flask import Response, jsonify, redirect, render_template, request, url_for
from redis.exceptions import RedisError

from app.current import actor
from app.errors import DomainError
from app.files import upload_results
from app.files.upload_request import FileResult
from app.web.error_pages import STATUS_TEXTS
from app.web.negotiation import wants_page

UPLOADED = "file uploaded successfully"
NO_PART = "No file part"
NOT_SELECTED = "No selected file"
FAILED = "file uploaded Fail"
MISSING = "The downloaded file does not exist"


def wants_plain() -> bool:
    """Whether a script asks that names no type: curl and Python's requests do not."""
    return not wants_page() and "application/json" not in request.accept_mimetypes.values()


def plain(status: int, *lines: str) -> Response:
    """Plain text, one line after another."""
    return Response("".join(f"{line}\n" for line in lines), status, mimetype="text/plain")


def status_of(outcomes: list[FileResult]) -> int:
    """200 when all were kept, 207 when some were; else what they were refused for, 422 when that
    differs."""
    refused = {outcome.status for outcome in outcomes if not outcome.kept}
    if not refused:
        return 200 if outcomes else 422
    if any(outcome.kept for outcome in outcomes):
        return 207
    return refused.pop() if len(refused) == 1 else 422


def answer_upload(outcomes: list[FileResult], has_part: bool) -> Response:
    """The answer as the asker reads it."""
    status = status_of(outcomes)
    if not outcomes:
        first = NOT_SELECTED if has_part else NO_PART
    else:
        first = UPLOADED if status in (200, 207) else FAILED
    if wants_page():
        return answer_page(outcomes, status)
    if wants_plain():
        return plain(status, first, *map(line_of, outcomes))
    response = jsonify(message=first, files=[as_json(outcome) for outcome in outcomes])
    response.status_code = status
    return response


def line_of(outcome: FileResult) -> str:
    """One file: path, kept or refused, id and SHA-256 or the reason, notes; between tabs."""
    if outcome.kept is None:
        return f"{outcome.path}\trefused\t{outcome.problem}"
    cells = [outcome.path, "kept", str(outcome.kept.id), outcome.kept.sha256, *outcome.notes]
    return "\t".join(cells)


def as_json(outcome: FileResult) -> dict[str, Any]:
    """One file as the page's script reads it."""
    facts: dict[str, Any] = {"path": outcome.path, "kept": outcome.kept is not None}
    if outcome.kept is None:
        return {**facts, "problem": outcome.problem, "status": outcome.status}
    return {
        **facts,
        "id": outcome.kept.id,
        "version": outcome.kept.version,
        "size": outcome.kept.size,
        "sha256": outcome.kept.sha256,
        "url": url_for("transfers.download_file", file_id=outcome.kept.id),
        "notes": outcome.notes,
    }


def answer_page(outcomes: list[FileResult], status: int) -> Response:
    """A browser goes on to the page of what was kept. When nothing was, it is told here; and also
    when Redis is away: what is kept is kept, and an error would have people send it again."""
    files = [as_json(outcome) for outcome in outcomes]
    if status in (200, 207):
        with suppress(RedisError):
            batch = upload_results.remember(actor().person_id, files)
            address = url_for("transfers.upload_success", batch=batch)
            return redirect(address, 303)  # type: ignore[return-value]
    text = render_template("files/upload_success.html", files=files, more=0, asked=True)
    return Response(text, status)


def as_plain(refusal: Any, error: Exception, is_upload: bool) -> Response:
    """The same refusal for a script that names no type: a missing sign-in is one line, the rest
    begins with the line that scripts of the original look for."""
    status = refusal.status_code
    text = error.message if isinstance(error, DomainError) else ""
    text = text or str(STATUS_TEXTS.get(status, STATUS_TEXTS[400])[1])
    first = FAILED if is_upload else MISSING
    if status == 401 or (not is_upload and status != 404):
        lines = [text]
    else:
        lines = [first] if first == MISSING else [first, text]
    response = plain(status, *lines)
    about_body = ("content-type", "content-length")
    response.headers.extend((k, v) for k, v in refusal.headers if k.lower() not in about_body)
    return response
