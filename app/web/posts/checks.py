"""What every POST passes before its view."""

from typing import Any

from flask import request

from app.actor import Role
from app.current import actor
from app.errors import NotAForm
from app.web.declarations import declared
from app.web.posts import bodies, drafts
from app.web.posts.csrf import FormRefused, check_csrf


def check_post() -> Any:
    """Refuse visitors of views that are not for them, a form that is too large (both without
    reading it), a body that is not a form, and a form without a valid CSRF token. A client without
    permission for the view gets that response instead of 415. A form that a page of ours signed is
    stored before it is refused."""
    view = declared()
    if request.method != "POST" or request.routing_exception is not None or view.csrf_after_guard:
        return None
    if view.guard and not actor().has_role(Role.VIEWER):
        return drafts.store_for_sign_in() or view.guard()
    bodies.limit_body()
    if not bodies.is_form_or_empty():
        refusal = view.guard() if view.guard else None
        if refusal is None:
            raise NotAForm()
        return refusal
    bodies.check_parts()
    try:
        check_csrf()
    except FormRefused:
        page = drafts.store_refused()
        if page is None:
            raise
        return page
    return None
