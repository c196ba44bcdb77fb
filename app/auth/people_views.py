"""The pages for administrators: who can sign in, and what they may do."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import Role
from app.auth import services
from app.auth.forms import PersonForm, RoleForm
from app.auth.listing import PeopleListing, select_people
from app.auth.models import FIRST_PASSWORD_LIFE
from app.current import actor
from app.errors import Invalid
from app.logs import event
from app.web.forms import add_form_errors
from app.web.listings import ListAddress
from app.web.permissions import role_required

bp = Blueprint("people", __name__)

PEOPLE = ListAddress("people.list_people", PeopleListing, {})


@bp.get("/people")
@role_required(Role.ADMIN, by_token=False)
def list_people() -> str:
    """Everybody."""
    listing = PEOPLE.read(request.args)
    page, total = select_people(actor(), listing, PEOPLE.read_cursor(listing, request.args))
    return render_template("auth/list_people.html", list=PEOPLE.show(listing, page, total))


@bp.route("/people/new", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def create_person() -> tuple[str, int]:
    """Add somebody; the answer shows their first password."""
    form = PersonForm()
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            person_id, password = services.invite_person(form.name.data, form.role.data)
        except Invalid as error:
            status = add_form_errors(form, error)
        else:
            event("person-created", about=form.name.data, role=form.role.data)
            return first_password(person_id, password), 201
    return render_template("auth/create_person.html", form=form), status


def first_password(person_id: int, password: str) -> str:
    """The page that shows a first password, as the answer to the POST that made it.

    It does not lead on to another address, as other successes do: the password would then have to
    be kept somewhere until the browser comes for it, in the session, in Redis or in an address.
    So it exists in this one answer (which no cache keeps) and nowhere else in clear. Sent again,
    the form for a new person is told that the name is taken; the one for a new password makes
    another, and the page then shows the one that counts.
    """
    return render_template(
        "auth/first_password.html",
        row=services.get_person(person_id),
        password=password,
        days=FIRST_PASSWORD_LIFE.days,
        # The switches of language and scheme lead to the person, not to an empty form.
        this_page=url_for("people.show_person", person_id=person_id),
    )


@bp.get("/people/<int:person_id>")
@role_required(Role.ADMIN, by_token=False)
def show_person(person_id: int) -> str:
    """One person, and what can be changed about them."""
    row = services.get_person(person_id)
    form = RoleForm(role=row.role)
    return render_template("auth/show_person.html", row=row, form=form)


@bp.post("/people/<int:person_id>/role")
@role_required(Role.ADMIN, by_token=False)
def set_role(person_id: int) -> Response:
    """Another role."""
    role = request.form.get("role", "")
    if services.set_role(actor().person_id, person_id, role):
        name = services.get_person(person_id).name
        event("role-changed", about=name, role=role)
        flash(_("The role of %(name)s is changed. They sign in again.", name=name), "good")
    return back_to(person_id)


@bp.post("/people/<int:person_id>/disable")
@role_required(Role.ADMIN, by_token=False)
def disable_person(person_id: int) -> Response:
    """Shut somebody out, at once."""
    if services.set_active(actor().person_id, person_id, False):
        name = services.get_person(person_id).name
        event("person-disabled", about=name)
        flash(_("%(name)s is disabled and signed out everywhere.", name=name), "good")
    return back_to(person_id)


@bp.post("/people/<int:person_id>/enable")
@role_required(Role.ADMIN, by_token=False)
def enable_person(person_id: int) -> Response:
    """Let somebody in again."""
    if services.set_active(actor().person_id, person_id, True):
        name = services.get_person(person_id).name
        event("person-enabled", about=name)
        flash(_("%(name)s can sign in again.", name=name), "good")
    return back_to(person_id)


@bp.post("/people/<int:person_id>/password")
@role_required(Role.ADMIN, by_token=False)
def give_first_password(person_id: int) -> str:
    """A new first password, for somebody who forgot theirs."""
    password = services.give_first_password(actor().person_id, person_id)
    event("first-password-given", about=services.get_person(person_id).name)
    return first_password(person_id, password)


def back_to(person_id: int) -> Response:
    """To the person's page."""
    return redirect(url_for("people.show_person", person_id=person_id), 303)
