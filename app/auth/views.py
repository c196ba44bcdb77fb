"""Sign-in, sign-out, one's own account and preferences."""

import logging

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import services, sign_in
from app.auth.forms import LoginForm, PasswordForm
from app.auth.passwords import LENGTHS
from app.config import LANGUAGES
from app.current import actor
from app.errors import DomainError
from app.logs import event
from app.web.declarations import allow_first_password, anonymous_form, reopened_form
from app.web.forms import add_form_errors
from app.web.navigation import home_url
from app.web.permissions import role_required
from app.web.preferences import cookie_name, seen_secure
from app.web.urls import safe_next

bp = Blueprint("auth", __name__)

Page = tuple[str, int] | tuple[str, int, dict[str, str]]


@bp.route("/login", methods=["GET", "POST"])
@reopened_form
def login() -> Response | Page:
    """Name and password; then on to where one wanted to go. Who is signed in goes on at once."""
    form = LoginForm(next=request.args.get("next", ""))
    onward = safe_next(form.next.data, home_url())
    if actor().is_signed_in and request.method == "GET":
        return redirect(onward, 303)
    status, headers = 422 if request.method == "POST" else 200, {}
    if form.validate_on_submit():
        try:
            person = sign_in.sign_in(form.name.data, form.password.data, request.remote_addr or "")
        except DomainError as error:
            note_refusal(form.name.data, error)
            status, headers = add_form_errors(form, error), error.headers
        else:
            sign_in.start_session(session, person)
            event("signed-in", person=person.name)
            return redirect(onward, 303)
    return render_template("auth/login.html", form=form), status, headers


def note_refusal(name: str, error: DomainError) -> None:
    """Write a refused sign-in down: by the name when somebody has it. What else was typed may be a
    password in the wrong field, and is not kept."""
    person = services.find_person(name)
    what = "sign-in-slowed" if error.status == 429 else "sign-in-refused"
    event(what, logging.WARNING, person=person.name if person else "-")


@bp.post("/logout")
@anonymous_form
def logout() -> Response:
    """End the session here and in Redis, and have the browser forget what it kept."""
    if actor().is_signed_in:
        event("signed-out")
    session.clear()
    response = redirect(url_for("auth.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.get("/account")
@role_required(by_token=False)
def account() -> str:
    """Who one is here."""
    return render_template("auth/account.html", row=services.get_person(actor().person_id))


@bp.route("/account/password", methods=["GET", "POST"])
@role_required(by_token=False)
@allow_first_password
def change_password() -> Response | Page:
    """A new password; all other sessions of this person end."""
    form = PasswordForm()
    status, headers = 422 if request.method == "POST" else 200, {}
    if form.validate_on_submit():
        try:
            epoch = sign_in.change_password(
                actor().person_id, form.current.data, form.password.data, request.remote_addr or ""
            )
        except DomainError as error:
            event("password-refused", logging.WARNING)
            status, headers = add_form_errors(form, error), error.headers
        else:
            event("password-changed")
            sign_in.start_session(session, services.get_person(actor().person_id), epoch)
            flash(_("Your password is changed. Your other sessions are ended."), "good")
            return redirect(url_for("auth.account"), 303)
    page = render_template(
        "auth/change_password.html",
        form=form,
        lengths=LENGTHS,
        must_change_password=g.must_change_password,
    )
    return page, status, headers


@bp.post("/preferences")
@anonymous_form
def set_preferences() -> Response:
    """Language and colour scheme, each in a cookie of its own: they are for those not signed in
    too, and outlive the session."""
    response = redirect(safe_next(request.form.get("next"), home_url()), 303)
    for field, allowed in (("language", LANGUAGES), ("scheme", ("auto", "light", "dark"))):
        if request.form.get(field) in allowed:
            response.set_cookie(
                cookie_name(f"gz_{field}"),
                request.form[field],
                max_age=365 * 86400,
                secure=seen_secure(),
                httponly=True,
                samesite="Lax",
            )
    return response
