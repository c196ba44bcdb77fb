"""Hooks around every request: request id, authentication, response headers, log line."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from werkzeug.exceptions import BadHost
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from app.actor import Role
from app.concurrency import yield_to_hub
from app.current import actor, preferences, settings, visitor
from app.database.timing import spent
from app.errors import NotAForm
from app.logs.events import event
from app.web import urls
from app.web.client import ZONE, colour_scheme, cookie_name, time_zone
from app.web.declarations import declared, path_for_log
from app.web.formatting import texts
from app.web.hosts import check_host
from app.web.posts import bodies, drafts
from app.web.posts.csrf import FormRefused, check_csrf

log = logging.getLogger("gazetteer.request")

IDENTIFY = "gazetteer-identify"
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
STRICT_TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"


def start_request() -> None:
    """Set the request id, which a trusted proxy may have chosen, start the clock, and check the
    host. Other requests go first: a client that sends one after another always has the next one
    ready, and the others of the process would wait."""
    yield_to_hub(0)
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    trusted = settings().trusted_proxies and REQUEST_ID.fullmatch(given)
    g.request_id = given if trusted else secrets.token_hex(8)
    path_for_log()  # from here on the log knows it
    bodies.open_body()
    check_host()


def identify_with(app: Flask, function: Callable[[], None]) -> None:
    """Let another package say who makes a request: `function` sets `g.actor`."""
    app.extensions[IDENTIFY] = function


def start_identification() -> None:
    """Set `actor()` before every request, except for views that answer everybody alike: to them it
    is a visitor. The first hook that may ask Redis."""
    g.actor, g.must_change_password = visitor(), False
    if not declared().without_session:
        identify()


def identify() -> None:
    """Find out who makes the request. Views @without_session call it where they need to know."""
    current_app.extensions[IDENTIFY]()


def check_form() -> Any:
    """What every POST passes before its view. Refuse visitors of views that are not for them, a
    form that is too large (both without reading it), a body that is not a form, and a form without
    a valid CSRF token. A client without permission for the view gets that response instead of 415.
    A form that a page of ours signed is stored before it is refused, and shown again later."""
    view = declared()
    if request.method == "GET":
        drafts.load_draft()
    if request.method != "POST" or request.routing_exception is not None or view.csrf_after_guard:
        return None
    if view.guard and not actor().has_role(Role.VIEWER):
        return drafts.store_for_sign_in() or view.guard()
    bodies.limit_body()
    if not bodies.is_form_or_empty():
        if view.guard and (refusal := view.guard()):
            return refusal
        raise NotAForm()
    bodies.check_parts()
    try:
        check_csrf()
    except FormRefused as refused:
        page = drafts.store_refused()
        if page is None:
            raise
        event(refused.event, logging.WARNING)
        return page
    return None


def set_headers(response: Response) -> Response:
    """Set the headers of every response, except those that the view has set."""
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    headers["X-Request-ID"] = g.get("request_id", "-")
    if path_for_log() != request.path:
        # The address is a secret, which nginx would log as the referrer of another request.
        headers["Referrer-Policy"] = "strict-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
    if declared().closes_connection:
        bodies.announce_close()
    names = set(response.headers.keys(lower=True))
    response.headers.extend({k: v for k, v in headers.items() if k.lower() not in names})
    return response


def log_request(response: Response) -> None:
    """Log one line for the request, without its query, which may contain anything."""
    total, ended = spent(), time.perf_counter()
    log.info(
        "request",
        extra={"fields": {
            "request_id": g.get("request_id", "-"),
            "address": request.remote_addr,
            "person": actor().name or "-",
            "method": request.method,
            "path": path_for_log(),
            "status": response.status_code,
            "db_ms": round(total.seconds * 1000, 1),
            "db_n": total.statements,
            "ms": round((ended - g.get("started", ended)) * 1000, 1),
        }},
    )  # fmt: skip


class Site(Flask):
    """Flask that logs a request when its response is final. The session is saved after all hooks,
    and a failure there still changes the response to 503."""

    @property
    def secret_key(self) -> str:  # type: ignore[override]
        """That of the settings, which generate it when it is first needed."""
        found: str = self.config["SETTINGS"].secret_key
        return found

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Our URLs do not depend on the host, whose name may be malformed: `check_host()` refuses
        it, on a page that has links."""
        try:
            return super().create_url_adapter(request)
        except BadHost:
            return self.url_map.bind("localhost", path_info=request.path if request else None)

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ[bodies.START_RESPONSE] = start_response
        return super().wsgi_app(environ, start_response)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook is asynchronous, which Flask would look up each time it calls one."""
        return func

    def process_response(self, response: Response) -> Response:
        response = super().process_response(response)
        log_request(response)
        return response


def page_context() -> dict[str, Any]:
    """Variables of all templates."""
    language = texts()
    return {
        "person": actor() if actor().is_signed_in else None,
        "site_name": settings().site_name,
        "locale": language.name,
        "html_lang": language.html_lang,
        "sentence_space": language.sentence_space,
        "colour_scheme": colour_scheme(),
        "time_zone": time_zone(),
        "chosen_zone": preferences().time_zone,
        "zone_cookie": cookie_name(ZONE),
        "this_page": urls.this_page(),
        "draft": g.get("draft"),
        "no_draft": g.get("no_draft"),
    }


def init_app(app: Flask) -> None:
    """Register the hooks in their order."""
    proxies = app.config["SETTINGS"].trusted_proxies
    if proxies:
        # Not X-Forwarded-Port: it is the proxy's own port, which may differ from that of the URL.
        fixed = ProxyFix(app.wsgi_app, proxies, proxies, proxies, x_port=0)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    app.url_map.converters["int"] = urls.RowId
    for hook in (start_request, start_identification, check_form):
        app.before_request(hook)
    app.after_request(set_headers)
    app.teardown_request(bodies.close_files)
    app.context_processor(page_context)
