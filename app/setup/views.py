"""The page behind the set-up link."""

import logging

from flask import Blueprint, flash, redirect, render_template, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import services as auth
from app.auth import sign_in
from app.auth.passwords import LENGTHS
from app.errors import Invalid, NotFound
from app.logs import event
from app.setup import services
from app.setup.forms import SetupForm
from app.web.declarations import reopened_form, secret_path
from app.web.forms import add_form_errors
from app.web.navigation import home_url

bp = Blueprint("setup", __name__)


@bp.route("/setup/<token>", methods=["GET", "POST"])
@reopened_form
@secret_path
def start(token: str) -> Response | tuple[str, int]:
    """Choose the first administrator's name and password; the next page is the filled list."""
    check_link(token)
    form = SetupForm()
    if not services.offers_sample():
        del form.sample
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            with_sample = "sample" in form and form.sample.data
            person_id = services.claim(form.name.data, form.password.data, with_sample)
        except Invalid as error:
            status = add_form_errors(form, error)
        else:
            person = auth.get_person(person_id)
            sign_in.start_session(session, person)
            event("installation-claimed", person=person.name)
            flash(_("Welcome. This installation is yours."), "good")
            return redirect(home_url(), 303)
    return render_template("setup/start.html", form=form, lengths=LENGTHS), status


def check_link(token: str) -> None:
    """404 for a link that does not work (any more); such tries are counted and written down."""
    try:
        services.check_link_token(token)
    except NotFound:
        event("set-up-link-refused", logging.WARNING)
        sign_in.count_wrong("set-up", request.remote_addr or "")
        raise
