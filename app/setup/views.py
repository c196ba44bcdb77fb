"""The page behind the set-up link."""

import time

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import services as auth
from app.auth import signin
from app.cities import services as cities
from app.errors import Invalid
from app.setup import services
from app.setup.forms import SetupForm
from app.web import fail

bp = Blueprint("setup", __name__)


@bp.route("/setup/<token>", methods=["GET", "POST"])
def start(token: str) -> Response | tuple[str, int]:
    """Choose the first administrator's name and password; the next page is the filled list."""
    services.check_link_token(token)
    form = SetupForm()
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            person_id = auth.create_first_administrator(form.name.data, form.password.data)
        except Invalid as error:
            status = fail(form, error)
        else:
            if form.sample.data:
                cities.add_sample_cities()
            signin.start_session(session, auth.get_person(person_id), time.time())
            flash(_("Welcome. This installation is yours."), "good")
            return redirect(url_for("cities.list_cities"), 303)
    return render_template("setup/start.html", form=form), status
