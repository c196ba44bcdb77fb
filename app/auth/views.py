"""Sign-in, sign-out, one's own account."""

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.auth import queries
from app.auth.forms import LoginForm, PasswordForm, SessionsForm
from app.auth.models import Person
from app.auth.preferences.forms import PreferencesForm
from app.auth.preferences.zones import suggested_cities
from app.auth.rules import fold_name
from app.auth.sessions import services as sessions
from app.auth.sessions.start import start_session
from app.auth.sign_in import services as sign_in
from app.auth.sign_in.device_cookie import remember_device, sent_devices
from app.auth.tokens import services as tokens
from app.current import actor
from app.errors import Conflict, NotFound
from app.logs.events import event
from app.text import N_
from app.web.client import language
from app.web.declarations import allow_first_password, csrf_for_members, visitor_form
from app.web.forms import submit
from app.web.navigation import home_url
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import landing_url

bp = Blueprint("auth", __name__)

# Why somebody is led to the sign-in page, by the argument `why`.
WHY = {
    "ended": _l("Please sign in again, then repeat what you did."),
    "stored": _l("Please sign in again. Your form was stored and will be shown again afterwards."),
    "out": _l("You are signed out."),
}

Page = tuple[str, int]


@bp.route("/login", methods=["GET", "POST"])
@visitor_form
def login() -> Response | Page:
    """Ask for name and password, then redirect to the page that was requested."""
    form = LoginForm(next=request.args.get("next", ""))
    onward = landing_url(form.next.data, home_url())
    if is_signed_in_as(form.name.data):
        return redirect(onward, 303)
    sent = submit(form, lambda: check_sign_in(form))
    if sent.result:
        start_session(session, sent.result)
        return remember_device(redirect(onward, 303), sent.result.id)
    reason = request.args.get("why", "")
    page = render_template(
        "auth/login.html",
        form=form,
        why=WHY.get(reason),
        kind="good" if reason == "out" else "caution",
        unclaimed=queries.is_unclaimed(),
    )
    return page, sent.status


def is_signed_in_as(name: str | None) -> bool:
    """True if nothing is left to do: the page was opened, or the form sent, by this person, who has
    signed in before, for example in another tab."""
    if not actor().is_signed_in:
        return False
    return request.method == "GET" or fold_name(name or "") == fold_name(actor().name)


def check_sign_in(form: LoginForm) -> Person:
    """The person who signs in. Nobody takes over the session of somebody else."""
    if actor().is_signed_in:
        text = N_("You are signed in as %(name)s. Sign out first.", name=actor().name)
        raise Conflict(text)
    address = request.remote_addr or ""
    return sign_in.sign_in(actor(), form.name.data, form.password.data, address, sent_devices())


@bp.post("/logout")
@csrf_for_members
def logout() -> Response:
    """End the session, and have the browser clear its cache."""
    if actor().is_signed_in:
        event("signed-out")
    session.clear()
    response = redirect(url_for("auth.login", next=request.form.get("next"), why="out"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.route("/account", methods=["GET", "POST"])
@role_required(by_token=False)
def account() -> Response | Page:
    """One's own name, role and times, one's preferences, and one's sessions, with a form that ends
    others."""
    form = SessionsForm()
    sent = submit(form, lambda: end_chosen(form), (NotFound,))
    if sent.refusal:
        Notice(sent.refusal.message).show("caution")
        return redirect(url_for("auth.account"), 303)
    if sent.done:
        text = ngettext("%(num)d session has ended.", "%(num)d sessions have ended.", sent.result)
        Notice(text).show()
        return redirect(url_for("auth.account"), 303)
    return draw_account(form), sent.status


def draw_account(
    form: SessionsForm | None = None, preferences: PreferencesForm | None = None
) -> str:
    """The account page, with the form that was refused."""
    form = form or SessionsForm(None)
    failed = sign_in.count_failed(actor())
    own = sessions.list_sessions(actor(), session_id())
    form.which.choices = [sessions.OTHERS, *(each.id for each in own)]
    row = queries.get_person(actor(), actor().person_id)
    return render_template(
        "auth/account.html",
        row=row,
        failed=failed + row.failed_sign_ins,
        form=form,
        sessions=own,
        preferences=preferences or PreferencesForm.of(row.preferences, language()),
        zone_cities=suggested_cities(language()),
    )


def end_chosen(form: SessionsForm) -> int:
    """Do what the form says; returns how many sessions ended."""
    which, password = form.which.data, form.password.data
    return sessions.end_sessions(actor(), session_id(), which, password, sent_devices())


def session_id() -> str:
    """The id of the current session."""
    return str(session.sid)  # type: ignore[attr-defined]


@bp.route("/account/password", methods=["GET", "POST"])
@role_required(by_token=False)
@allow_first_password
def change_password() -> Response | Page:
    """Change one's own password, which ends the other sessions. Who had a first password goes on to
    the page that they requested."""
    form = PasswordForm(next=request.args.get("next", ""))
    first, count = g.must_change_password, offer_revocation(form)
    sent = submit(form, lambda: replace_password(form), also=lambda: check_new_password(form))
    if sent.result:
        row = queries.get_person(actor(), actor().person_id)
        start_session(session, row, sent.result)
        Notice(changed_text(first, form.revoke_tokens.data)).show()
        onward = landing_url(form.next.data, home_url()) if first else url_for("auth.account")
        return remember_device(redirect(onward, 303), row.id)
    page = render_template("auth/change_password.html", form=form, tokens=count)
    return page, sent.status


def changed_text(first: bool, revoked: bool) -> str:
    """What is said about a new password."""
    if first:
        return str(_("Your password was set."))
    if revoked:
        return str(_("Your password was changed, your other sessions and your tokens have ended."))
    return str(_("Your password was changed. Your other sessions have ended."))


def check_new_password(form: PasswordForm) -> None:
    """What else is wrong with a form that is wrong by itself. A password that was not typed does
    not count as an attempt."""
    if form.current.data:
        password = form.password.data or ""
        sign_in.check_change(actor(), form.current.data, password, sent_devices())


def replace_password(form: PasswordForm) -> int:
    """Do what the form says; returns the epoch of the session that continues."""
    current, password, revoke = form.current.data, form.password.data, form.revoke_tokens.data
    return sign_in.change_password(actor(), current, password, sent_devices(), bool(revoke))


def offer_revocation(form: PasswordForm) -> int:
    """Say in the form how many tokens there are to revoke; returns their number."""
    count = tokens.count_own(actor())
    text = ngettext("Revoke my token", "Revoke my %(num)d tokens", count)
    form.revoke_tokens.label.text = text
    return count
