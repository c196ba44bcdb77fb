"""What a POST must bring: a form, and the CSRF token of a page of this site."""

import logging
import secrets
from typing import Any

from flask import Flask, current_app, flash, g, redirect, request, url_for
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


def check_body() -> Any:
    """Refuse a POST whose body is not a form: Flask-WTF would read JSON as if it were one. Whoever
    may not use the address at all is told that instead."""
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
    """True if the body has a form's media type, or is empty and has none."""
    if request.mimetype:
        return request.mimetype in NotAForm.types
    return not request.content_length and "Transfer-Encoding" not in request.headers


def check_csrf() -> Any:
    """Require the session's token with every write by a browser. A script's token header is proof
    enough, since no browser sends that by itself.

    404 and 405 need no token. Visitors to a page for members are asked to sign in by its guard
    rather than told that their form is out of date.
    """
    if request.routing_exception is not None or declared().csrf_after_guard:
        return None
    if actor().by_token:
        return None
    is_visitor = not actor().has_role(Role.VIEWER)
    if is_visitor and is_free_of_token():
        return None
    try:
        csrf.protect()
    except CSRFError as error:
        if is_visitor and declared().reopened_form and is_outdated(error):
            return reopen()
        raise
    return None


def is_free_of_token() -> bool:
    """True if a visitor needs no token: the guard refuses them, or the form is open to everybody
    and was sent from this site."""
    view = declared()
    return view.guard is not None or (view.anonymous_form and urls.sent_from_here())


def is_outdated(error: CSRFError) -> bool:
    """True if a page sent the form with the token of a session that has ended since; False if
    there is no token, or another site sent it."""
    sent = request.form.get("csrf_token")
    return bool(sent) and "referrer" not in str(error.description) and wants_page()


def reopen() -> Any:
    """Show the same page again, with a token of the present session."""
    event("form-refused", logging.WARNING)
    flash(_("This page was open too long. Please try again."), "caution")
    again = {**(request.view_args or {})}
    if onward := urls.safe_next(request.form.get("next"), ""):
        again["next"] = onward
    return redirect(url_for(str(request.endpoint), **again), 303)


def add_token(session: Any) -> None:
    """Put a new secret of CSRF tokens into a session. It has one from its beginning: two pages that
    are drawn at the same time would each make their own, and the later one would replace the
    other's."""
    name = current_app.config["WTF_CSRF_FIELD_NAME"]
    session[name] = secrets.token_hex(20)
    g.pop(name, None)  # Flask-WTF keeps the token of a request here


def init_app(app: Flask) -> None:
    """Bind Flask-WTF and the checks, which run once it is known who asks."""
    csrf.init_app(app)
    app.before_request(check_body)
    app.before_request(check_csrf)
