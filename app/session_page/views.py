"""The page that shows what a session is: stored in Redis, shared by all workers."""

import os
import socket
import time
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.current import settings
from app.errors import Invalid, NotFound
from app.session_page import services
from app.session_page.forms import ValueForm
from app.web.declarations import closes_connection
from app.web.forms import submit
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("session_page", __name__)


@bp.get("/session")
@closes_connection
@role_required(by_token=False)
def show_session() -> str:
    """The page; `?key=` and `?value=` fill the form in."""
    return render_page(ValueForm(request.args))


@bp.get("/session/get")
@role_required(by_token=False)
def get_session_value() -> str | tuple[str, int]:
    """The page with the value of `?key=`."""
    form = ValueForm()
    try:
        return render_page(form, read=services.get_value(store_id(), request.args.get("key")))
    except (Invalid, NotFound) as error:
        return render_page(form, refused=error.message), error.status


@bp.post("/session/set")
@role_required(by_token=False)
def set_session_value() -> Response | tuple[str, int]:
    form = ValueForm()
    sent = submit(form, lambda: services.set_value(store_id(), form.key.data, form.value.data))
    if not sent.done:
        return render_page(form), sent.status
    Notice(_("“%(key)s” was stored in your session.", key=sent.result)).show()
    return redirect(url_for("session_page.show_session"), 303)


@bp.post("/session/pop")
@role_required(by_token=False)
def pop_session_value() -> Response:
    key = services.pop_value(store_id(), request.form.get("key"))
    Notice(_("“%(key)s” was removed.", key=key)).show()
    return redirect(url_for("session_page.show_session"), 303)


@bp.post("/session/clear")
@role_required(by_token=False)
def clear_session_values() -> Response:
    """Remove all values; the person stays signed in."""
    count = services.clear_values(store_id())
    Notice(ngettext("%(num)d value was removed.", "%(num)d values were removed.", count)).show()
    return redirect(url_for("session_page.show_session"), 303)


@bp.get("/set/", endpoint="old_set")
@bp.get("/get/", endpoint="old_get")
@bp.get("/pop/", endpoint="old_pop")
@bp.get("/clear/", endpoint="old_clear")
@role_required(by_token=False)
def redirect_legacy() -> Response:
    """The addresses of the original program. There a GET wrote, removed and cleared, so a link in
    a mail or a browser that prefetches could do it too. Here they only lead to the page, with the
    fields filled in, where a button does it."""
    fields: dict[str, Any] = {
        name: request.args[name] for name in ("key", "value") if name in request.args
    }
    return redirect(url_for("session_page.show_session", **fields), 303)


def store_id() -> str:
    """The Redis key of the current session."""
    interface: Any = current_app.session_interface
    return str(interface.store_id(session))


def render_page(form: ValueForm, read: str | None = None, refused: str = "") -> str:
    """The page around a form, with a value that was read or the reason why it could not be."""
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
        most=services.MAX_VALUES,
        here={"host": socket.gethostname(), "pid": str(os.getpid())},
        writer={"host": host, "pid": pid},
        requests=requests,
        since=moment(since),
        idle_end=moment(time.time() + idle_seconds),
        absolute_end=moment(since + settings().session_absolute_days * 86400),
    )


def moment(seconds: float) -> datetime:
    """Unix time as a datetime, for the filters of templates."""
    return datetime.fromtimestamp(seconds, UTC)
