"""The pages about people, for administrators."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import Role
from app.auth import queries, services
from app.auth.forms import PersonForm, RoleForm
from app.auth.models import FIRST_PASSWORD_LIFE
from app.auth.queries import PeopleListing, select_people
from app.auth.tokens import services as tokens
from app.current import actor
from app.database.keyset import SEARCH_LENGTH
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.web.forms import submit
from app.web.listings import Filter, ListAddress, read_words
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("people", __name__)

PEOPLE = ListAddress(
    "people.list_people", PeopleListing, {"search": Filter("q", read_words(SEARCH_LENGTH))}
)


@bp.get("/people")
@role_required(Role.ADMIN, by_token=False)
def list_people() -> str:
    listing = PEOPLE.read(request.args)
    page, total = select_people(actor(), listing, PEOPLE.read_cursor(listing, request.args))
    return render_template(
        "auth/list_people.html",
        listing=listing,
        list=PEOPLE.show(listing, page, total),
        search_length=SEARCH_LENGTH,
    )


@bp.route("/people/new", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def create_person() -> tuple[str, int]:
    """Add a person, and show their first password."""
    form = PersonForm()
    sent = submit(form, lambda: services.invite_person(actor(), form.name.data, form.role.data))
    if sent.done:
        return first_password(*sent.result), 201
    return render_template("auth/create_person.html", form=form), sent.status


def first_password(person_id: int, password: str) -> str:
    """The page that shows a first password. Unlike other successes the POST does not redirect to
    it: the password would have to be stored until the next request. If the form is sent again, the
    name is taken, or another first password replaces this one."""
    return render_template(
        "auth/first_password.html",
        row=queries.get_person(actor(), person_id),
        password=password,
        days=FIRST_PASSWORD_LIFE.days,
        # The switches of language and scheme lead back to the person, not to an empty form.
        this_page=url_for("people.show_person", person_id=person_id),
    )


@bp.get("/people/<int:person_id>")
@role_required(Role.ADMIN, by_token=False)
def show_person(person_id: int) -> str:
    return draw_person(person_id)


def draw_person(person_id: int, form: RoleForm | None = None) -> str:
    """One person, with the forms that change their role, password and access, and what the history
    has about them."""
    row = queries.get_person(actor(), person_id)
    entries = entries_about(actor(), "person", person_id)
    return render_template(
        "auth/show_person.html",
        row=row,
        tokens=tokens.list_tokens(actor(), person_id),
        form=form or RoleForm(role=row.role),
        feed=describe_feed(actor(), entries, about=True),
    )


@bp.post("/people/<int:person_id>/role")
@role_required(Role.ADMIN, by_token=False)
def set_role(person_id: int) -> Response | tuple[str, int]:
    form = RoleForm(role="")  # a form without a choice has none
    sent = submit(form, lambda: services.set_role(actor(), person_id, form.role.data))
    if not sent.done:
        return draw_person(person_id, form), sent.status
    if sent.result:
        name = queries.get_person(actor(), person_id).name
        Notice(_("The role of %(name)s was changed. They need to sign in again.", name=name)).show()
    return redirect(url_for("people.show_person", person_id=person_id), 303)


@bp.post("/people/<int:person_id>/disable", defaults={"active": False})
@bp.post("/people/<int:person_id>/enable", defaults={"active": True})
@role_required(Role.ADMIN, by_token=False)
def set_active(person_id: int, active: bool) -> Response:
    if services.set_active(actor(), person_id, active):
        name = queries.get_person(actor(), person_id).name
        if active:
            text = _("%(name)s can sign in again.", name=name)
        else:
            text = _("%(name)s is disabled and signed out everywhere.", name=name)
        Notice(text).show()
    return redirect(url_for("people.show_person", person_id=person_id), 303)


@bp.post("/people/<int:person_id>/tokens/<int:token_id>/revoke")
@role_required(Role.ADMIN, by_token=False)
def revoke_token(person_id: int, token_id: int) -> Response:
    tokens.revoke_token(actor(), token_id, person_id)
    Notice(_("Token revoked.")).show()
    return redirect(url_for("people.show_person", person_id=person_id), 303)


@bp.post("/people/<int:person_id>/password")
@role_required(Role.ADMIN, by_token=False)
def give_first_password(person_id: int) -> str:
    return first_password(person_id, services.give_first_password(actor(), person_id))
