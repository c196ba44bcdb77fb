"""The page that shows what a session is: kept in Redis, found by every worker."""

import os
import socket
import time
from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.current import settings
from app.errors import DomainError, Invalid, NotFound
from app.session_page import services
from app.session_page.forms import PutForm
from app.web.forms import add_form_errors
from app.web.permissions import role_required

bp = Blueprint("session_page", __name__)


@bp.get("/session")
@role_required(by_token=False)
def show_session() -> str:
    """The page; `?key=` and `?value=` fill the form in."""
    return render_page(PutForm(request.args))


@bp.get("/session/get")
@role_required(by_token=False)
def get_session_value() -> str | tuple[str, int]:
    """The page with one value of `?key=` read out."""
    form = PutForm()
    try:
        key = services.check_key(request.args.get("key", ""))
        return render_page(form, read=(key, services.get_value(store_id(), key)))
    except (Invalid, NotFound) as error:
        return render_page(form, refused=error.message), error.status


@bp.post("/session/set")
@role_required(by_token=False)
def set_session_value() -> Response | tuple[str, int]:
    """Keep a value."""
    form = PutForm()
    try:
        key = services.put_value(store_id(), form.key.data or "", form.value.data or "")
    except DomainError as error:
        status = add_form_errors(form, error)
        return render_page(form), status
    flash(_("“%(key)s” is kept in your session.", key=key), "good")
    return redirect(url_for("session_page.show_session"), 303)


@bp.post("/session/pop")
@role_required(by_token=False)
def pop_session_value() -> Response:
    """Remove a value."""
    key = request.form.get("key", "")
    services.pop_value(store_id(), key)
    flash(_("“%(key)s” is removed.", key=key), "good")
    return redirect(url_for("session_page.show_session"), 303)


@bp.post("/session/clear")
@role_required(by_token=False)
def clear_session_values() -> Response:
    """Remove all values; one stays signed in."""
    count = services.clear_values(store_id())
    flash(ngettext("%(num)d value is removed.", "%(num)d values are removed.", count), "good")
    return redirect(url_for("session_page.show_session"), 303)


@bp.get("/set/", endpoint="old_set")
@bp.get("/get/", endpoint="old_get")
@bp.get("/pop/", endpoint="old_pop")
@bp.get("/clear/", endpoint="old_clear")
@role_required(by_token=False)
def lead_to_session() -> Response:
    """The original's addresses. There a GET wrote, removed and cleared; a link in a mail or a
    browser that fetches ahead could do the same. So they only lead to the page, with the fields
    filled in, where a button does it."""
    filled: dict[str, Any] = {
        name: request.args[name] for name in ("key", "value") if name in request.args
    }
    return redirect(url_for("session_page.show_session", **filled), 303)


def store_id() -> str:
    """Where Redis keeps the session of whoever asks."""
    interface: Any = current_app.session_interface
    return str(interface.store_id(session))


def render_page(form: PutForm, read: tuple[str, str] | None = None, refused: str = "") -> str:
    """The page around a form, with what was read or why it could not be."""
    interface: Any = current_app.session_interface
    requests, idle_seconds = interface.usage(session)
    since = session["since"]
    host, _colon, pid = session.get("writer", "").rpartition(":")
    return render_template(
        "session_page/show_session.html",
        form=form,
        read=read,
        refused=refused,
        values=services.list_values(store_id()),
        most=services.KEYS,
        here={"host": socket.gethostname(), "pid": str(os.getpid())},
        writer={"host": host, "pid": pid},
        requests=requests,
        since=moment(since),
        idle_end=moment(time.time() + idle_seconds),
        absolute_end=moment(since + settings().session_absolute_days * 86400),
    )


def moment(seconds: float) -> datetime:
    """Unix time as the filters for times take it."""
    return datetime.fromtimestamp(seconds, UTC)
