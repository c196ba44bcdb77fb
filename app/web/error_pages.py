"""Error responses, as a page or as JSON."""

import logging
from typing import Any

from flask import (
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from redis.exceptions import RedisError
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import HTTPException

from app.database import failures
from app.errors import ClientGone, DomainError, Invalid, Locked
from app.logs.events import event
from app.redis import failures as redis_failures
from app.web.client import accepts_anything, wants_page
from app.web.formatting import format_size
from app.web.urls import without_slash

# Title and advice for each status.
STATUS_TEXTS: dict[int, tuple[Any, Any]] = {
    400: (_l("The request could not be read"), _l("Go back, reload the page and try again.")),
    401: (_l("Please sign in"), _l("This page is for members.")),
    403: (_l("Not allowed"), _l("Ask an administrator if you need this.")),
    404: (_l("Page not found"), _l("The address may be mistyped, or the page was removed.")),
    405: (_l("Method not allowed"), _l("This address does not support this request method.")),
    408: (_l("The request took too long"), _l("Send less at a time. Nothing was saved.")),
    409: (
        _l("Nothing was changed"),
        _l("Go back, reload the page and check what changed."),
    ),
    413: (_l("Too large"), _l("Send less at a time. Nothing was saved.")),
    415: (_l("Unsupported content type"), _l("Send the content type that this address expects.")),
    416: (_l("Range not available"), _l("Request a range within the file.")),
    422: (_l("Check your input"), _l("Go back and correct your input.")),
    429: (_l("Too many attempts"), _l("Wait a moment and try again.")),
    500: (_l("Something went wrong"), _l("The error was logged. Trying again may help.")),
    503: (
        _l("Not available right now"),
        _l("A service behind this page does not answer. Try again in a moment."),
    ),
    507: (
        _l("The disk is full or not writable"),
        _l("Nothing was saved. Tell the administrator of this server."),
    ),
}
# Their advice is shown below a message too; other messages say themselves what to do.
ALWAYS_ADVISED = (400, 403, 413, 422)


def answer(status: int, message: str, headers: Any = None, **more: Any) -> Response:
    """An error response: a page for browsers, otherwise JSON with one sentence."""
    title, advice = STATUS_TEXTS.get(status, STATUS_TEXTS[500 if status >= 500 else 400])
    if wants_page() or (status != 401 and accepts_anything()):
        body = render_template(
            "errors/error.html",
            code=status,
            title=title,
            message=message or advice,
            advice=advice if message and status in ALWAYS_ADVISED else "",
        )
        response = make_response(body)
    else:
        response = jsonify(error=message or str(advice), status=status, **more)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def answer_refusal(error: DomainError) -> Response:
    """Answer a DomainError, and log it if it is a security event."""
    if error.event:
        event(error.event, logging.WARNING)
    more = dict(error.details)
    if isinstance(error, Invalid) and error.fields:
        more["fields"] = {name: str(text) for name, text in error.fields.items()}
    return answer(error.status, error.message, error.headers, **more)


def answer_client_gone(error: ClientGone) -> Response:
    """End a request whose client has gone: a page would take time."""
    return Response(status=error.status)


def answer_http_error(error: HTTPException) -> Response:
    """Answer an error of Flask or Werkzeug, with its headers (Allow, Retry-After, ...)."""
    if error.code == 404 and (page := without_slash()):
        return redirect(page, 308)  # type: ignore[return-value]
    headers = [(k, v) for k, v in error.get_headers() if k.lower() != "content-type"]
    return answer(error.code or 500, exceeded_limit() if error.code == 413 else "", headers)


def exceeded_limit() -> str:
    """A sentence with the limit if the whole request exceeds it, not only a part of the form."""
    most = request.max_content_length
    if most is None or (request.content_length or 0) <= most:
        return ""
    return str(_("At most %(most)s can be sent here at once.", most=format_size(most)))


def answer_redis_error(error: RedisError) -> Response:
    """Answer 503 if Redis does not answer or refuses, which its client has logged; any other error
    is ours."""
    if redis_failures.classify(error) is redis_failures.ErrorKind.FAULT:
        return answer_unexpected(error)
    return answer(503, "", {"Retry-After": "2"})


def answer_database_error(error: failures.DatabaseError) -> Response:
    """Log an error of the database, and answer what it means. A page that only reads a locked row
    was not changed by anybody."""
    reads = request.method in ("GET", "HEAD")
    refusal = failures.refuse(error, is_change=not reads)
    if isinstance(refusal, Locked) and reads:
        return answer(503, refusal.message, {"Retry-After": "2"})
    return answer_refusal(refusal)


def answer_deleted_row(_error: ObjectDeletedError) -> Response:
    """Answer that a row which a page was going to show was deleted since it was read, such as that
    of a folder in a form which is shown again after a refusal."""
    return answer(404, _("This was removed just now."))


def answer_unexpected(error: Exception) -> Response:
    current_app.logger.exception("unexpected error", exc_info=error)
    return answer(500, "")


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, answer_refusal)
    app.register_error_handler(ClientGone, answer_client_gone)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(RedisError, answer_redis_error)
    for database_error in failures.DATABASE_ERRORS:
        app.register_error_handler(database_error, answer_database_error)
    app.register_error_handler(ObjectDeletedError, answer_deleted_row)
    app.register_error_handler(Exception, answer_unexpected)
