"""What the history has of changes to people, tokens and the installation."""

import json
from functools import partial

import pytest
from sqlalchemy import select

from app.actor import Role
from app.auth import queries
from app.auth import services as auth
from app.auth.models import ApiToken
from app.auth.sign_in import services as sign_in
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.errors import Conflict, Forbidden, Invalid
from app.history.models import ADMINISTRATORS
from tests.factories import (
    OPERATOR,
    PASSWORD,
    actor_of,
    add_person,
    add_token,
    at_once,
    claim,
    entries,
)


def summary():
    """Of each entry its action, subject, and the values on both sides."""
    return [
        (
            entry.action,
            entry.subject_id,
            entry.before and json.loads(entry.before),
            entry.after and json.loads(entry.after),
        )
        for entry in entries("person", "token")
    ]


@pytest.fixture
def admin(any_app):
    """An administrator on a page."""
    return actor_of(add_person("admin", "admin"))


@pytest.fixture
def other(any_app, admin):
    """The id of an editor."""
    return add_person("Ada", "editor")


def test_new_people_are_recorded_with_name_role_and_state(admin):
    created = auth.create_person(OPERATOR, " Grace ", PASSWORD, "viewer")
    invited, _password = auth.invite_person(admin, "Zoë", "editor")
    new = {"active": True, "must_change_password": False}
    assert summary() == [
        ("person.create", created, None, {"name": "Grace", "role": "viewer", **new}),
        (
            "person.invite",
            invited,
            None,
            {"name": "Zoë", "role": "editor", **new, "must_change_password": True},
        ),
    ]
    by_command, by_page = entries("person", "token")
    assert (by_command.actor_id, by_command.via) == (None, "command")
    assert (by_page.actor_id, by_page.via) == (admin.id, "page")
    assert {entry.visible_to for entry in entries("person", "token")} == {ADMINISTRATORS}


def test_roles_states_and_passwords_are_recorded(admin, other):
    auth.set_role(admin, other, "viewer")
    auth.set_active(admin, other, False)
    auth.set_active(admin, other, True)
    auth.give_first_password(admin, other)
    auth.set_password(OPERATOR, other, "another password")
    sign_in.change_password(actor_of(other), "another password", PASSWORD)
    assert summary() == [
        ("person.role", other, {"role": "editor"}, {"role": "viewer"}),
        ("person.disable", other, {"active": True}, {"active": False}),
        ("person.enable", other, {"active": False}, {"active": True}),
        (
            "person.first_password",
            other,
            {"must_change_password": False},
            {"must_change_password": True},
        ),
        (
            "person.password",
            other,
            {"must_change_password": True},
            {"must_change_password": False},
        ),
        ("person.password", other, {}, {}),
    ]
    found = entries("person", "token")
    assert [entry.actor_id for entry in found] == [admin.id] * 4 + [None, other]
    assert {entry.batch_id for entry in found} == {None}
    assert {entry.visible_to for entry in found} == {ADMINISTRATORS}


def test_tokens_are_recorded_by_their_labels(admin, other):
    owner = actor_of(other)
    tokens.store_token(owner, " nightly ")
    [token] = tokens.list_tokens(owner)
    tokens.revoke_token(owner, token.id)
    tokens.revoke_token(owner, token.id)  # changes nothing
    assert summary() == [
        ("token.create", token.id, None, {"label": "nightly", "days": 90}),
        ("token.revoke", token.id, {"label": "nightly"}, None),
    ]
    assert [(entry.actor_id, entry.visible_to) for entry in entries("person", "token")] == [
        (other, ADMINISTRATORS)
    ] * 2


def test_disabling_a_person_and_revoking_their_tokens_is_one_batch(admin, other):
    for label in ("one", "two"):
        add_token(other, label)
    add_token(admin.id, "of somebody else")
    tokens.revoke_token(actor_of(other), 1)
    add_token(other, "three")
    auth.set_active(admin, other, False)
    batch = [entry for entry in entries("person", "token") if entry.batch_id]
    assert sorted((entry.action, entry.subject_id) for entry in batch) == [
        ("person.disable", other),
        ("token.revoke", 2),
        ("token.revoke", 4),
    ]
    assert len({entry.batch_id for entry in batch}) == 1
    assert {entry.actor_id for entry in batch} == {admin.id}


def test_what_is_refused_or_changes_nothing_is_not_recorded(admin, other):
    assert auth.set_role(admin, other, "editor") is False
    assert auth.set_active(admin, other, True) is False
    viewer = actor_of(add_person("viewer"))
    for refused, error in (
        (partial(auth.set_role, viewer, other, "admin"), Forbidden),
        (partial(auth.set_active, admin, admin.id, False), Forbidden),
        (partial(auth.create_person, admin, "ADA", PASSWORD, "viewer"), Invalid),
        (partial(auth.invite_person, admin, "ada", "viewer"), Invalid),
        (partial(auth.set_password, OPERATOR, other, "short"), Invalid),
        (partial(sign_in.change_password, viewer, "wrong", PASSWORD), Invalid),
        (partial(tokens.store_token, viewer, ""), Invalid),
        (partial(auth.set_role, OPERATOR, admin.id, "viewer"), Conflict),
    ):
        with pytest.raises(error):
            refused()
    assert summary() == []
    assert queries.load_person(other).role == "editor"


def test_no_password_hash_or_token_is_recorded(admin, other):
    secrets = [auth.give_first_password(admin, other), add_token(admin.id)]
    _id, password = auth.invite_person(admin, "Zoë", "viewer")
    secrets += [password, tokens.digest(secrets[1])]
    secrets += [queries.load_person(other).password_hash, queries.find_person("Zoë").password_hash]
    recorded = [f"{entry.before} {entry.after}" for entry in entries("person", "token")]
    assert len(recorded) == 3
    assert not [text for text in recorded if any(secret in text for secret in secrets)]


def test_first_administrator_is_recorded_as_their_own_author(any_app):
    person_id = claim("林小梅")
    [entry] = entries("person", "token")
    assert (entry.action, entry.subject_id, entry.actor_id) == ("person.create", 1, person_id)
    assert (entry.via, entry.visible_to) == ("page", ADMINISTRATORS)
    assert json.loads(entry.after)["role"] == Role.ADMIN


def test_two_who_claim_at_once_leave_one_entry(any_app):
    results = at_once(any_app, *[partial(claim, name, True) for name in ("one", "two")])
    assert [isinstance(result, int) for result in results].count(True) == 1
    assert [entry.action for entry in entries("person", "token")] == ["person.create"]


def test_the_same_twice_at_once_is_one_entry(admin, other, any_app):
    add_token(other)
    owner = actor_of(other)
    works = [partial(tokens.revoke_token, owner, 1)] * 4
    assert at_once(any_app, *works) == [None] * 4
    assert [entry.action for entry in entries("token")] == ["token.create", "token.revoke"]
    works = [partial(auth.set_active, admin, other, False)] * 4
    assert sorted(at_once(any_app, *works)) == [False, False, False, True]
    works = [partial(auth.set_role, admin, other, "viewer")] * 4
    assert sorted(at_once(any_app, *works)) == [False, False, False, True]
    assert [entry.action for entry in entries("person")] == ["person.disable", "person.role"]


def test_an_invitation_sent_twice_at_once_is_one_person(admin, any_app):
    results = at_once(any_app, *[partial(auth.invite_person, admin, "Zoë", "viewer")] * 4)
    assert [isinstance(result, Invalid) for result in results].count(True) == 3
    assert [entry.action for entry in entries("person", "token")] == ["person.invite"]


def test_a_token_created_while_its_person_is_disabled_is_revoked_or_refused(admin, any_app):
    for number in range(5):
        person = add_person(f"person {number}", "editor")
        made, disabled = at_once(
            any_app,
            partial(tokens.store_token, actor_of(person), "late"),
            partial(auth.set_active, admin, person, False),
        )
        assert disabled is True
        assert isinstance(made, str | Forbidden)
        db.session.rollback()
        query = select(ApiToken.id).where(ApiToken.person_id == person)
        assert db.session.scalars(query.where(ApiToken.revoked_at.is_(None))).all() == []


def test_a_disabled_person_creates_no_token(admin, other):
    owner = actor_of(other)
    auth.set_active(admin, other, False)
    with pytest.raises(Forbidden, match="This account is disabled"):
        tokens.store_token(owner, "late")
