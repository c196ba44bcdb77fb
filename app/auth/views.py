"""Sign-in, sign-out, one's own account and preferences."""

import time

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import services, signin
from app.auth.forms import LoginForm, PasswordForm
from app.auth.guards import needs
from app.errors import DomainError, Invalid
from app.web import fail, safe_next, settings

bp = Blueprint("auth", __name__)


@bp.route("/login", methods=["GET", "POST"])
def login() -> Response | tuple[str, int] | str:
    """Name and password; then on to where one wanted to go."""
    form = LoginForm(next=request.args.get("next", ""))
    status = 200
    if form.validate_on_submit():
        try:
            person = signin.sign_in(form.name.data, form.password.data, request.remote_addr or "")
        except Invalid as error:
            current_app.logger.warning("sign-in refused")
            status = fail(form, error)
        else:
            signin.start_session(session, person, time.time())
            return redirect(safe_next(form.next.data, url_for("cities.list_cities")), 303)
    elif request.method == "POST":
        status = 422
    return render_template("auth/login.html", form=form), status


@bp.post("/logout")
def logout() -> Response:
    """End the session here and in Redis, and have the browser forget what it kept."""
    session.clear()
    response = redirect(url_for("auth.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.get("/account")
@needs()
def account() -> str:
    """Who one is here."""
    return render_template("auth/account.html", row=services.get_person(g.person.id))


@bp.route("/account/password", methods=["GET", "POST"])
@needs()
def change_password() -> Response | tuple[str, int]:
    """A new password; all other sessions of this person end."""
    form = PasswordForm()
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            signin.change_password(
                g.person.id, form.current.data, form.password.data, request.remote_addr or ""
            )
        except DomainError as error:
            status = fail(form, error)
        else:
            signin.start_session(session, services.get_person(g.person.id), time.time())
            flash(_("Your password is changed. Your other sessions are ended."), "good")
            return redirect(url_for("auth.account"), 303)
    return render_template("auth/change_password.html", form=form), status


@bp.post("/preferences")
def set_preferences() -> Response:
    """Language and colour scheme, each in a cookie of its own: they are for those not signed in
    too, and outlive the session."""
    response = redirect(safe_next(request.form.get("next"), url_for("cities.list_cities")), 303)
    for field, cookie, allowed in (
        ("language", "gz_language", ("en", "zh")),
        ("scheme", "gz_scheme", ("auto", "light", "dark")),
    ):
        if request.form.get(field) in allowed:
            response.set_cookie(
                cookie,
                request.form[field],
                max_age=365 * 86400,
                secure=settings().secure,
                httponly=True,
                samesite="Lax",
            )
    return response
