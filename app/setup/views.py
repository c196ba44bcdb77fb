"""The page behind the set-up link."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import queries
from app.auth.sessions.start import start_session
from app.auth.sign_in.device_cookie import remember_device
from app.cities.services import is_empty
from app.current import actor, settings
from app.setup import services
from app.setup.forms import SetupForm
from app.web.client import wants_page
from app.web.declarations import secret_path, visitor_form
from app.web.error_pages import answer_refusal
from app.web.forms import submit
from app.web.navigation import home_url
from app.web.notices import Notice

bp = Blueprint("setup", __name__)


@bp.route("/setup/<token>", methods=["GET", "POST"])
@visitor_form
@secret_path
def start(token: str) -> Response | tuple[str, int]:
    """Choose the first administrator's name and password."""
    address = request.remote_addr or ""
    services.check_link_token(token, address)
    form = SetupForm()
    if not is_empty():
        del form.sample
    name, password, sample = form.name, form.password, form.sample
    with_sample = sample is not None and sample.data
    sent = submit(
        form,
        lambda: services.claim(actor(), token, address, name.data, password.data, with_sample),
    )
    if sent.done:
        start_session(session, queries.load_person(sent.result))
        Notice(_("Welcome. %(site)s is ready.", site=settings().site_name)).show()
        return remember_device(redirect(home_url(), 303), sent.result)
    return render_template("setup/start.html", form=form), sent.status


@bp.errorhandler(services.LinkUsed)
def answer_used_link(error: services.LinkUsed) -> Any:
    """Somebody was here before: the way in is the sign-in page."""
    if not wants_page():
        return answer_refusal(error)
    return render_template("setup/used_link.html"), error.status
