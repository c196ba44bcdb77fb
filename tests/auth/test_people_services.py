"""The rules about people, on both databases, also when two act at once."""

import time
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.actor import Role
from app.auth import queries
from app.auth import services as auth
from app.auth.models import ApiToken, Person
from app.auth.passwords import ALPHABET, check_password, random_password
from app.auth.sessions import epochs
from app.auth.sign_in import credentials
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.redis.client import redis_store
from app.times import now
from tests.factories import INVISIBLE, OPERATOR, PASSWORD, actor_of, add_person, add_token, at_once


@pytest.fixture
def in_app(app):
    """An application context, for rules that do not depend on the database."""
    with app.app_context():
        yield app


def test_person_is_created_with_the_name_trimmed_and_in_nfc(any_app):
    person_id = auth.create_person(OPERATOR, "  Zoe\u0308 王  ", PASSWORD, "editor")
    person = queries.load_person(person_id)
    assert (person.name, person.role, person.state) == ("Zoë 王", "editor", "active")
    assert queries.find_person("ZOË 王").id == person_id
    assert credentials.verify("zoë 王", PASSWORD).id == person_id


@pytest.mark.parametrize("taken", ["margaret", "MARGARET", "Ｍargaret", " Margaret "])
def test_name_that_looks_the_same_is_taken(in_app, taken):
    add_person("Margaret")
    with pytest.raises(Invalid) as refusal:
        auth.create_person(OPERATOR, taken, PASSWORD, "viewer")
    assert list(refusal.value.fields) == ["name"]


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 65, "a\x00b", "a\nb", "ﷺ" * 64, *(f"a{unseen}" for unseen in INVISIBLE)],
    ids=ascii,
)
def test_invalid_name_is_refused(in_app, name):
    with pytest.raises(Invalid) as refusal:
        auth.create_person(OPERATOR, name, PASSWORD, "viewer")
    assert list(refusal.value.fields) == ["name"]


@pytest.mark.parametrize("password", ["       xy", " ends ends ", "😀🐢" * 4, "a\tb\u0301c\x00d\n"])
def test_password_is_stored_unchanged(any_app, password):
    person_id = auth.create_person(OPERATOR, "Ada", password, "viewer")
    assert credentials.verify("Ada", password).id == person_id
    for other in {password.strip(), password + " "} - {password}:
        assert credentials.verify("Ada", other) is None


@pytest.mark.parametrize(
    "password", ["13972468", "xy" * 128, "深圳广州上海北京", "e\u0301o\u0301" * 2]
)
def test_password_of_8_to_256_characters_passes(in_app, password):
    check_password(password, "Ada")


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "Margaret", "ｍＡＲＧＡＲＥＴ"])
def test_invalid_password_is_refused(in_app, password):
    with pytest.raises(Invalid) as refusal:
        auth.create_person(OPERATOR, "margaret", password, "viewer")
    assert list(refusal.value.fields) == ["password"]


def test_unknown_role_is_refused(in_app):
    for role in ("", "root", "Admin", "None"):
        with pytest.raises(Invalid):
            auth.create_person(OPERATOR, "Ada", PASSWORD, role)


def test_first_password_is_random_and_expires(any_app):
    assert len({random_password() for _attempt in range(50)}) == 50
    person_id, password = auth.invite_person(OPERATOR, "newcomer", "viewer")
    assert len(password) == 31
    assert set(password) <= set(ALPHABET) | {"-"}
    person = queries.load_person(person_id)
    assert person.must_change_password
    assert timedelta(days=6.9) < person.password_ends_at - now() < timedelta(days=7.1)
    assert (person.state, person.has_expired_password()) == ("invited", False)
    person.password_ends_at = now() - timedelta(seconds=1)
    db.session.commit()
    assert (person.state, person.has_expired_password()) == ("expired", True)


def test_own_password_never_expires(any_app):
    person_id, _password = auth.invite_person(OPERATOR, "newcomer", "viewer")
    auth.set_password(OPERATOR, person_id, PASSWORD)
    person = queries.load_person(person_id)
    assert person.password_ends_at is None
    assert person.state == "active"


def test_changes_raise_the_epoch_in_database_and_redis(any_app):
    other = add_person("other")
    steps = [
        lambda: auth.set_role(OPERATOR, other, "editor"),
        lambda: auth.set_password(OPERATOR, other, "another password"),
        lambda: auth.give_first_password(OPERATOR, other),
        lambda: auth.set_active(OPERATOR, other, False),
        lambda: auth.set_active(OPERATOR, other, True),
    ]
    before = queries.load_person(other).session_epoch
    for step in steps:
        step()
        person = queries.load_person(other)
        number = person.session_epoch
        assert number > before >= time.time() - 600
        before = number
        # 0, which no session has, for the disabled.
        published = redis_store.client.get(epochs.epoch_key(other))
        assert int(published) == (number if person.active else 0)


def test_what_changes_nothing_ends_no_session(any_app):
    other = add_person("other")
    before = queries.load_person(other).session_epoch
    assert auth.set_role(OPERATOR, other, "viewer") is False
    assert auth.set_active(OPERATOR, other, True) is False
    assert queries.load_person(other).session_epoch == before


def test_nobody_locks_themselves_out(any_app):
    admin = add_person("admin", "admin")
    add_person("second", "admin")
    before = queries.load_person(admin).session_epoch
    for change in (
        lambda: auth.set_role(actor_of(admin), admin, "viewer"),
        lambda: auth.set_active(actor_of(admin), admin, False),
        lambda: auth.give_first_password(actor_of(admin), admin),
    ):
        with pytest.raises(Forbidden):
            change()
    assert queries.load_person(admin).session_epoch == before


def test_last_active_administrator_remains(any_app):
    admin, second = add_person("admin", "admin"), add_person("second", "admin")
    demoted = actor_of(second)
    auth.set_active(OPERATOR, second, False)
    # The second one began this before being disabled.
    for change in (
        lambda: auth.set_role(demoted, admin, "editor"),
        lambda: auth.set_active(demoted, admin, False),
    ):
        with pytest.raises(Conflict):
            change()
    person = queries.load_person(admin)
    assert (person.role, person.active) == ("admin", True)
    # A disabled administrator does not count, so their role may change.
    assert auth.set_role(OPERATOR, second, "viewer")


def test_missing_person_is_not_found(any_app):
    for change in (
        lambda: queries.load_person(99),
        lambda: auth.set_role(OPERATOR, 99, "viewer"),
        lambda: auth.set_active(OPERATOR, 99, False),
        lambda: auth.set_password(OPERATOR, 99, PASSWORD),
        lambda: auth.give_first_password(OPERATOR, 99),
    ):
        with pytest.raises(NotFound):
            change()


def test_disabling_revokes_tokens_permanently(any_app):
    other = add_person("other", "editor")
    text = add_token(other)
    assert tokens.authenticate(text).id == other
    auth.set_active(OPERATOR, other, False)
    assert tokens.authenticate(text) is None
    auth.set_active(OPERATOR, other, True)
    assert tokens.authenticate(text) is None
    assert db.session.scalar(select(ApiToken.revoked_at)) is not None


@pytest.mark.parametrize(
    "change",
    [auth.give_first_password, lambda actor, person: auth.set_password(actor, person, "a new one")],
    ids=["a first password", "a password"],
)
def test_a_password_from_an_administrator_revokes_tokens_for_good(any_app, change):
    other, third = add_person("other", "editor"), add_person("third")
    text, of_third = add_token(other), add_token(third)
    change(OPERATOR, other)
    assert tokens.authenticate(text) is None
    auth.set_password(OPERATOR, other, "my own password")
    assert tokens.authenticate(text) is None
    assert tokens.authenticate(of_third).id == third


def test_two_administrators_who_demote_each_other_leave_one(any_app):
    for round_number in range(5):
        one = add_person(f"one {round_number}", "admin")
        two = add_person(f"two {round_number}", "admin")
        others = select(Person).where(Person.id.not_in([one, two]))
        for person in db.session.scalars(others):
            person.active = False
        db.session.commit()
        results = at_once(
            any_app,
            partial(auth.set_role, actor_of(one), two, "viewer"),
            partial(auth.set_active, actor_of(two), one, False),
        )
        assert [type(result) for result in results].count(Conflict) == 1
        assert results.count(True) == 1
        db.session.rollback()
        left = select(Person.id).where(Person.role == "admin", Person.active)
        assert len(db.session.scalars(left).all()) == 1
        db.session.rollback()


def test_two_changes_at_once_raise_the_epoch_twice(any_app):
    other = add_person("other")
    before = queries.load_person(other).session_epoch
    results = at_once(
        any_app,
        lambda: auth.set_role(OPERATOR, other, "editor"),
        lambda: auth.set_active(OPERATOR, other, False),
    )
    assert results == [True, True]
    db.session.rollback()
    assert queries.load_person(other).session_epoch >= before + 2


def test_script_that_writes_an_epoch_is_registered_once(app, monkeypatch):
    registered = []
    with app.app_context():
        client = redis_store.client
        register = client.register_script
        monkeypatch.setattr(
            client, "register_script", lambda text: registered.append(text) or register(text)
        )
        for epoch in range(3):
            epochs.write_epoch(1, epoch, replace=True)
    assert len(registered) <= 1  # not at all if an earlier test has used this application


def test_one_name_added_at_once_is_one_person(any_app):
    results = at_once(any_app, *[lambda: add_person("same")] * 4)
    assert [isinstance(result, Invalid) for result in results].count(True) == 3
    db.session.rollback()
    assert len(queries.list_people(OPERATOR)) == 1


def test_only_the_name_of_a_person_can_be_taken(any_app):
    """Another refusal of the database is a fault, and not reported as a taken name."""
    row = auth.NewPerson("Ada", Role.VIEWER, None)
    with pytest.raises(IntegrityError):
        unrecorded(auth.insert_person)(row)
    db.session.rollback()
    assert queries.list_people(OPERATOR) == []
