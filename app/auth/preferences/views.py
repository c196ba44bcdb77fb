"""Choosing language, time zone, rows of a page and colour scheme."""

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth.preferences import services
from app.auth.preferences.forms import PreferencesForm
from app.auth.views import draw_account
from app.config import LANGUAGES
from app.current import actor
from app.database.keyset import PAGE_SIZES
from app.web.client import (
    LANGUAGE,
    ROWS,
    SCHEME,
    delete_lasting_cookie,
    set_lasting_cookie,
    use_preferences,
)
from app.web.declarations import csrf_for_members
from app.web.forms import submit
from app.web.navigation import home_url
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import safe_next

bp = Blueprint("preferences", __name__)

# What the switches of the bar and the pager may send, and the cookie that stores it.
SWITCHES = {
    "language": (LANGUAGE, LANGUAGES),
    "scheme": (SCHEME, ("auto", "light", "dark")),
    "rows": (ROWS, tuple(map(str, PAGE_SIZES))),
}


@bp.post("/preferences")
@csrf_for_members
def set_preferences() -> Response:
    """Store a choice in a cookie, which visitors have too and which outlives the session; language
    and rows also for the person, whose other browsers follow."""
    response = redirect(safe_next(request.form.get("next"), home_url()), 303)
    chosen = {
        name: text
        for name, (_cookie, allowed) in SWITCHES.items()
        if (text := request.form.get(name)) in allowed
    }
    for name, text in chosen.items():
        set_lasting_cookie(response, SWITCHES[name][0], text)
    if actor().is_signed_in and not actor().by_token:
        store_for_person(chosen)
    return response


@bp.post("/account/preferences")
@role_required(by_token=False)
def update_preferences() -> Response | tuple[str, int]:
    """All that a person may choose, from the account page."""
    form = PreferencesForm()
    sent = submit(form, lambda: services.update_preferences(actor(), **form.values()))
    if not sent.done:
        return draw_account(preferences=form), sent.status
    response = redirect(url_for("auth.account"), 303)
    use_preferences(sent.result)
    if sent.result.language:
        set_lasting_cookie(response, LANGUAGE, sent.result.language)
    else:
        delete_lasting_cookie(response, LANGUAGE)
    Notice(_("Your preferences were saved.")).show()
    return response


def store_for_person(chosen: dict[str, str]) -> None:
    """Store what of the choices a person has in all browsers."""
    changed: dict[str, str | int] = {}
    if "language" in chosen:
        changed["language"] = chosen["language"]
    if "rows" in chosen:
        changed["page_size"] = int(chosen["rows"])
    if changed:
        services.update_preferences(actor(), **changed)
