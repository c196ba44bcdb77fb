"""What happens around every request: its id, who asks, the CSRF token, headers, one log line."""

import logging
import re
import secrets
import time
from typing import Any

from flask import Flask, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.middleware.proxy_fix import ProxyFix

from app.cities.importing.csv_table import MOST_BYTES
from app.concurrency import PacedBody
from app.current import actor, settings
from app.errors import NotAForm
from app.extensions import csrf
from app.logs import asked_path, event
from app.web import static_files, urls
from app.web.formatting import html_lang
from app.web.negotiation import wants_page
from app.web.permissions import asks_sign_in, check_person
from app.web.preferences import colour_scheme

log = logging.getLogger("gazetteer.request")

# Views that check the token themselves, after they know that the person may write: reading it
# means reading the whole body, which may be large.
CHECK_CSRF_LATER = {"transfers.upload_file"}
# Views that answer a body which is not a form themselves: scripts read their plain text.
READS_ANY_BODY = {"transfers.upload_file"}
# For people not signed in, forms without a token, sent from a page of ours. The first sets two
# harmless cookies and stands on every page, and each token would cost a session in Redis; signing
# out once more, in another tab, has nothing left to end.
WITHOUT_TOKEN = {"auth.set_preferences", "auth.logout"}
# Pages that may be left open until the session behind them has ended.
BEFORE_SIGN_IN = {"auth.login", "setup.start"}

# Views that take more than other forms (MAX_CONTENT_LENGTH); for the head of the form itself there
# is a little room beside the file.
BODY_MOST = {"importing.import_cities": MOST_BYTES + 10_000}

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

CONTENT_SECURITY_POLICY = "; ".join([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "object-src 'none'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def start_request() -> None:
    """Name the request, start its clock, and say how large it may be. A proxy we trust may have
    named it already."""
    g.started = time.perf_counter()
    named = request.headers.get("X-Request-ID", "")
    trusted = settings().trusted_proxies and REQUEST_ID.fullmatch(named)
    g.request_id = named if trusted else secrets.token_hex(8)
    if most := BODY_MOST.get(request.endpoint or ""):
        request.max_content_length = most
        request.environ["wsgi.input"] = PacedBody(request.environ["wsgi.input"])


def identify() -> Any:
    """Have the function that app/auth registered find out who makes the request."""
    return current_app.extensions["gazetteer-identify"]()


def check_body() -> Any:
    """A POST carries a form, or nothing: Flask-WTF would read JSON as if it were one. Who may not
    use the address at all is told that instead."""
    if request.method != "POST" or request.routing_exception is not None:
        return None
    if request.endpoint in READS_ANY_BODY or is_form_or_empty():
        return None
    refusal = check_person(request.endpoint)
    if refusal is None:
        raise NotAForm()
    return refusal


def is_form_or_empty() -> bool:
    """Whether the body is of a form's type, or is empty and of none."""
    if request.mimetype:
        return request.mimetype in NotAForm.types
    return not request.content_length and "Transfer-Encoding" not in request.headers


def check_csrf() -> Any:
    """Every write by a browser carries the session's token; a script's token header is proof
    enough, since no browser sends that by itself.

    What is answered 404 or 405 anyway needs no token, and who must sign in first is told that
    rather than that their form is out of date: the guard refuses before the view runs.
    """
    if request.routing_exception is not None or request.endpoint in CHECK_CSRF_LATER:
        return None
    if actor().is_signed_in and actor().by_token:
        return None
    if not actor().is_signed_in and asks_sign_in(request.endpoint):
        return None
    if not actor().is_signed_in and request.endpoint in WITHOUT_TOKEN and urls.sent_from_here():
        return None
    try:
        csrf.protect()
    except CSRFError as error:
        if not actor().is_signed_in and request.endpoint in BEFORE_SIGN_IN and is_old(error):
            return open_again()
        raise
    return None


def is_old(error: CSRFError) -> bool:
    """Whether a page sent the form with a token, of a session that has ended since; rather than
    without any, or with the address of another site."""
    sent = request.form.get("csrf_token")
    return bool(sent) and "referrer" not in str(error.description) and wants_page()


def open_again() -> Any:
    """The same page anew, which has a token of the present session."""
    event("form-refused", logging.WARNING)
    flash(_("This page was open too long. Please try again."), "caution")
    again = {**(request.view_args or {})}
    if onward := urls.safe_next(request.form.get("next"), ""):
        again["next"] = onward
    return redirect(url_for(str(request.endpoint), **again), 303)


def set_headers(response: Response) -> Response:
    """Headers of every answer. What a view set itself (a download's own policy) stays."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault(
            "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
        )
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-ID"] = g.get("request_id", "-")
    return response


def log_request(response: Response) -> None:
    """One line a request: never the query, which may hold what somebody searched for or worse."""
    who = actor()
    path = asked_path()
    log.info(
        "%s %s", request.method, path,
        extra={"fields": {
            "request_id": g.get("request_id", "-"),
            "address": request.remote_addr,
            "person": who.name or "-",
            "method": request.method,
            "path": path,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        }},
    )  # fmt: skip


class Site(Flask):
    """Flask that writes the line of a request when its answer is final: saving the session, which
    comes after all other hooks, may still turn it into a 503."""

    def process_response(self, response: Response) -> Response:
        response = super().process_response(response)
        log_request(response)
        return response


def page_context() -> dict[str, Any]:
    """What every template may use."""
    return {
        "person": actor() if actor().is_signed_in else None,
        "locale": str(get_locale()),
        "html_lang": html_lang(),
        "scheme": colour_scheme(),
        "this_page": urls.this_page(),
    }


def init_app(app: Flask) -> None:
    """Bind the hooks, in the order in which they run."""
    proxies = app.config["SETTINGS"].trusted_proxies
    if proxies:
        fixed = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    app.url_map.converters["int"] = urls.RowId
    app.before_request(start_request)
    app.before_request(identify)
    app.before_request(check_body)
    app.before_request(check_csrf)
    app.after_request(set_headers)
    app.context_processor(page_context)
    app.jinja_env.globals["asset"] = static_files.url  # macros see globals only
