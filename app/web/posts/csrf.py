"""CSRF tokens."""

import logging
import secrets
from typing import Any

from flask import Flask, current_app, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from app.actor import Role
from app.current import actor
from app.extensions import csrf
from app.logs import event
from app.web import urls
from app.web.declarations import declared
from app.web.negotiation import wants_page
from app.web.notices import Notice


def check_csrf() -> Any:
    """Require the session's CSRF token with every POST by a browser. Scripts authenticate with a
    header that no browser sends by itself."""
    view = declared()
    is_visitor = not actor().has_role(Role.VIEWER)
    if actor().by_token or (is_visitor and view.anonymous_form and urls.is_same_origin()):
        return None
    try:
        check_token()
    except CSRFError as error:
        if is_visitor and view.reopened_form and is_outdated(error):
            return reopen()
        raise
    return None


def check_token() -> None:
    """CSRFError unless the form has the token of the session and a page of this site sent it."""
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from None
    if request.is_secure and not urls.is_same_origin():
        raise CSRFError("The referrer does not match the host.")


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
    csrf.init_app(app)
