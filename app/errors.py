"""The domain's refusals, and how a page, a script or a JSON client is told of them."""

import logging
import re
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from app.logs import event

# What is raised when the database does not answer, or when all connections to it are taken.
DATABASE_AWAY = (OperationalError, PoolTimeout)


class DomainError(Exception):
    """A refusal by a rule. `message` is for people; `status` is the answer's HTTP status."""

    status = 422

    def __init__(self, message: Any = "", **headers: str) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Invalid(DomainError):
    """Input that breaks rules; `fields` maps a field's name to what is wrong with it."""

    def __init__(self, message: Any = "", fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message or " ".join(str(text) for text in self.fields.values()))


class Unauthorized(DomainError):
    """Nobody known asks."""

    status = 401

    def __init__(self, message: Any = "") -> None:
        super().__init__(message, WWW_Authenticate="Bearer")


class NotFound(DomainError):
    """Nothing there, or nothing this person may know of."""

    status = 404


class Forbidden(DomainError):
    """This person may see it, but not do that."""

    status = 403


class Conflict(DomainError):
    """Somebody else was faster."""

    status = 409


class Locked(Conflict):
    """Another transaction holds the rows that this one has to change."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else is changing this right now. Try again in a moment."))


class TooLarge(DomainError):
    """More than a limit allows; the message names it."""

    status = 413


class NoSpace(DomainError):
    """The disk is nearly full."""

    status = 507

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or SENTENCES[507][1])


class TooMany(DomainError):
    """Too often in a short time; `seconds` until it is worth trying again."""

    status = 429

    def __init__(self, message: Any, seconds: int) -> None:
        super().__init__(message, Retry_After=str(max(1, seconds)))


class Unavailable(DomainError):
    """A service that the answer needs is away."""

    status = 503

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or SENTENCES[503][1], Retry_After="2")


# What happened, and what to do, for every status a person may meet.
SENTENCES: dict[int, tuple[Any, Any]] = {
    400: (_l("That request could not be read"), _l("Go back, reload the page and try again.")),
    401: (_l("Please sign in"), _l("This address is for members.")),
    403: (_l("Not allowed"), _l("Ask an administrator if you need this.")),
    404: (_l("Nothing here"), _l("The address may be mistyped, or what it named was removed.")),
    405: (_l("Not this way"), _l("This address answers other methods only.")),
    409: (_l("Somebody was faster"), _l("Go back, reload and look at what changed.")),
    413: (_l("Too large"), _l("Send less at once. Nothing was kept.")),
    415: (_l("Wrong kind of content"), _l("Send it in the form this address expects.")),
    416: (_l("No such part"), _l("Ask for a range within the file.")),
    422: (_l("That does not fit"), _l("Go back and correct what was typed.")),
    429: (_l("Too many tries"), _l("Wait a little and try again.")),
    500: (_l("Something broke here"), _l("It was written to the log. Trying again may help.")),
    503: (
        _l("Not available right now"),
        _l("A service behind this page does not answer. Try again in a moment."),
    ),
    507: (_l("The disk is nearly full"), _l("Nothing was kept. Tell whoever runs this server.")),
}


# These addresses answer JSON whoever asks, refusals too.
ALWAYS_JSON = re.compile(r"/(pi|fib)(/|$)")


def wants_page() -> bool:
    """Whether a browser asks: only browsers name text/html. Scripts get JSON or plain text."""
    if ALWAYS_JSON.match(request.path):
        return False
    accept = request.accept_mimetypes
    return "text/html" in accept.values() and (accept["text/html"] >= accept["application/json"])


def takes_anything() -> bool:
    """Whether the asker names no wish at all, and is no script with a token either."""
    asked = "Accept" in request.headers or "Authorization" in request.headers
    return not (asked or ALWAYS_JSON.match(request.path))


def answer(status: int, message: str, headers: Any = None, **more: Any) -> Response:
    """One refusal as the asker reads it: a page in the site's look, or one JSON sentence."""
    title, advice = SENTENCES.get(status, SENTENCES[500 if status >= 500 else 400])
    if wants_page() or (status != 401 and takes_anything()):
        body = render_template(
            "errors/error.html",
            code=status,
            title=title,
            message=message or advice,
            advice=advice if message else "",
        )
        response = make_response(body)
    else:
        response = jsonify(error=message or str(advice), status=status, **more)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def refuse(error: DomainError) -> Response:
    """A rule said no. Who tried what they may not is written down."""
    if error.status == 403:
        event("refused", logging.WARNING)
    more = {"fields": error.fields} if isinstance(error, Invalid) and error.fields else {}
    return answer(error.status, error.message, error.headers, **more)


def refuse_http(error: HTTPException) -> Response:
    """Flask or Werkzeug said no; their headers (Allow, Retry-After, Content-Range) are kept."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    kept = [(k, v) for k, v in error.get_headers() if k.lower() != "content-type"]
    return answer(error.code or 500, size_limit() if error.code == 413 else "", kept)


def size_limit() -> str:
    """The limit, when the request as a whole is over it; other bounds are on parts of a form."""
    from app.web import size  # which imports this module

    most = request.max_content_length
    if most is None or (request.content_length or 0) <= most:
        return ""
    return str(_("At most %(most)s can be sent here at once.", most=size(most)))


def refuse_csrf(_error: CSRFError) -> Response:
    """The form's token is missing or of an ended session, or another site sent the form."""
    event("form-refused", logging.WARNING)
    return answer(400, _("This form was out of date, so nothing was changed."))


def refuse_redis(_error: RedisError) -> Response:
    """Redis is away or slow."""
    current_app.logger.warning("Redis does not answer")
    return answer(503, "", {"Retry-After": "2"})


def refuse_database(error: OperationalError | PoolTimeout) -> Response:
    """The database is away, or all its connections are taken."""
    current_app.logger.error("the database does not answer: %s", error.__class__.__name__)
    return answer(503, "", {"Retry-After": "2"})


def refuse_unexpected(error: Exception) -> Response:
    """A fault of ours: the log has the trace, the person gets an apology without it."""
    current_app.logger.exception("unexpected error", exc_info=error)
    return refuse_http(InternalServerError())


def init_app(app: Flask) -> None:
    """Register the answers."""
    app.register_error_handler(DomainError, refuse)
    app.register_error_handler(CSRFError, refuse_csrf)
    app.register_error_handler(HTTPException, refuse_http)
    app.register_error_handler(RedisError, refuse_redis)
    for away in DATABASE_AWAY:
        app.register_error_handler(away, refuse_database)
    app.register_error_handler(Exception, refuse_unexpected)
