"""Responses in plain text, for clients that name no media type. Scripts of the original program
read the first line, which never changes."""

from flask import Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.errors import DomainError
from app.web.client import wants_page
from app.web.declarations import declared
from app.web.error_pages import STATUS_TEXTS, answer_http_error, answer_refusal

FAILED = "file uploaded Fail"
MISSING = "The downloaded file does not exist"


def wants_plain() -> bool:
    """True for clients that name no media type, as curl and Python's requests."""
    return not wants_page() and "application/json" not in request.accept_mimetypes.values()


def plain(status: int, *lines: str) -> Response:
    return Response("".join(f"{line}\n" for line in lines), status, mimetype="text/plain")


def refuse(error: DomainError | HTTPException) -> AnyResponse:
    """The error handler of uploads and downloads: plain text instead of JSON for such clients."""
    if isinstance(error, DomainError):
        response, text = answer_refusal(error), error.message
    else:
        response, text = answer_http_error(error), ""
    first_line = declared().plain_refusals
    if first_line is None or not wants_plain():
        return response
    return as_plain(response, first_line, text)


def as_plain(refusal: Response, first_line: str, text: str) -> Response:
    """The same refusal in plain text. Scripts of the original program read its first line: FAILED
    before the reason why an upload failed, or MISSING without a reason. A missing sign-in and other
    refusals of downloads are the reason alone."""
    status = refusal.status_code
    text = text or str(STATUS_TEXTS.get(status, STATUS_TEXTS[400])[1])
    if first_line == MISSING:
        lines = [MISSING if status == 404 else text]
    else:
        lines = [text] if status == 401 else [first_line, text]
    response = plain(status, *lines)
    about_body = ("content-type", "content-length")
    response.headers.extend((k, v) for k, v in refusal.headers if k.lower() not in about_body)
    return response
