"""Checks of every POST: the body is a form and has a valid CSRF token."""

import logging
import secrets
from typing import Any

from flask import Flask, current_app, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from app.actor import Role
from app.current import actor
from app.errors import NotAForm
from app.extensions import csrf
from app.logs import event
from app.web import urls
from app.web.declarations import declared
from app.web.negotiation import wants_page
from app.web.notices import Notice


def check_body() -> Any:
    """Refuse a POST whose body is not a form, because Flask-WTF would read JSON like one. A client
    without permission for the view gets that response instead."""
    if request.method != "POST" or request.routing_exception is not None:
        return None
    view = declared()
    if view.csrf_after_guard or is_form_or_empty():
        return None
    refusal = view.guard() if view.guard else None
    if refusal is None:
        raise NotAForm()
    return refusal


def is_form_or_empty() -> bool:
    """True if the body has the content type of a form, or is empty and has none."""
    if request.mimetype:
        return request.mimetype in NotAForm.types
    return not request.content_length and "Transfer-Encoding" not in request.headers


def check_csrf() -> Any:
    """Require the session's CSRF token with every POST by a browser. Scripts authenticate with a
    header that no browser sends by itself. 404 and 405 need no token."""
    view = declared()
    if request.routing_exception is not None or view.csrf_after_guard or actor().by_token:
        return None
    is_visitor = not actor().has_role(Role.VIEWER)
    # The guard of a view refuses visitors.
    if is_visitor and (view.guard or (view.anonymous_form and urls.is_same_origin())):
        return None
    try:
        csrf.protect()
    except CSRFError as error:
        if is_visitor and view.reopened_form and is_outdated(error):
            return reopen()
        raise
    return None


def is_outdated(error: CSRFError) -> bool:
    """True if the form has the token of a session that has ended; False if it has no token, or
    another site sent it."""
    sent = request.form.get("csrf_token")
    return bool(sent) and "referrer" not in str(error.description) and wants_page()


def reopen() -> Any:
    """Redirect to the same page, for a token of the current session."""
    event("form-refused", logging.WARNING)
    Notice(_("This page was open too long. Please try again.")).show("caution")
    args = dict(request.view_args or {})
    if target := urls.safe_next(request.form.get("next"), ""):
        args["next"] = target
    return redirect(url_for(str(request.endpoint), **args), 303)


def add_token(session: Any) -> None:
    """Add the secret of CSRF tokens to a new session. Flask-WTF would do so when the first token is
    rendered, but then two concurrent pages would each add one, and only the later would count."""
    name = current_app.config["WTF_CSRF_FIELD_NAME"]
    session[name] = secrets.token_hex(20)
    g.pop(name, None)  # Flask-WTF's cached token of this request


def init_app(app: Flask) -> None:
    """Register the checks, which run after authentication."""
    csrf.init_app(app)
    app.before_request(check_body)
    app.before_request(check_csrf)
