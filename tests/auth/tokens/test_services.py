"""Tokens of scripts."""

from datetime import timedelta
from functools import partial

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.models import TOKEN_DAYS, TOKENS_MOST, ApiToken
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from app.times import now
from tests.factories import OPERATOR, actor_of, add_person, add_token, at_once


def test_token_is_stored_as_a_digest_and_works_until_it_is_revoked(any_app):
    person = actor_of(add_person("Ada", "editor"))
    text = tokens.store_token(person, " backup ")
    assert text.startswith("gz_")
    [row] = tokens.list_tokens(person)
    assert (row.label, row.digest) == ("backup", tokens.digest(text))
    assert tokens.authenticate(text).name == "Ada"
    assert tokens.list_tokens(person)[0].used_at is not None
    for wrong in ("", "gz_", text[:-1], text + "x", text.upper()):
        assert tokens.authenticate(wrong) is None
    tokens.revoke_token(person, row.id)
    assert tokens.authenticate(text) is None
    assert tokens.list_tokens(person) == []


def test_token_of_another_person_is_not_found(any_app):
    owner, stranger = actor_of(add_person("owner")), actor_of(add_person("stranger"))
    tokens.store_token(owner, "laptop")
    [row] = tokens.list_tokens(owner)
    with pytest.raises(NotFound):
        tokens.revoke_token(stranger, row.id)
    assert tokens.list_tokens(owner) != []


def test_invalid_label_is_refused(any_app):
    person = actor_of(add_person("Ada"))
    for label in ("", "  ", "x" * 65, "two\nlines", "nul\0"):
        with pytest.raises(Invalid):
            tokens.store_token(person, label)


def test_token_signs_requests_in_until_its_person_is_disabled(app):
    with app.app_context():
        text = add_token(add_person("Ada"))
    client = app.test_client()
    for scheme in ("Bearer", "bearer", "BEARER"):
        response = client.get("/cities", headers={"Authorization": f"{scheme} {text}"})
        assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    with app.app_context():
        auth.set_active(OPERATOR, queries.find_person("Ada").id, False)
    response = client.get("/cities", headers={"Authorization": f"Bearer {text}"})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_wrong_tokens_are_limited(app):
    with app.app_context():
        right = add_token(add_person("Ada"))
    client = app.test_client()
    for _attempt in range(20):
        response = client.get("/cities", headers={"Authorization": "Bearer gz_wrong"})
        assert response.status_code == 401
        assert response.json["error"] == "This token is not valid."
    response = client.get("/cities", headers={"Authorization": "Bearer gz_wrong"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    # A valid one is not limited.
    response = client.get("/cities", headers={"Authorization": f"Bearer {right}"})
    assert response.status_code == 200


def set_times(created, expires):
    """Give the only token these times, relative to now."""
    token = db.session.get(ApiToken, 1)
    token.created_at = now() - created
    token.expires_at = expires and now() + expires
    db.session.commit()


LIFE, SECOND = timedelta(days=TOKEN_DAYS), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("created", "expires", "works"),
    [
        (LIFE, SECOND * 60, True),
        (LIFE, -SECOND, False),
        # Rows of the previous release, which knows no expiry.
        (LIFE - SECOND * 60, None, True),
        (LIFE + SECOND, None, False),
    ],
)
def test_a_token_works_until_it_expires(any_app, created, expires, works):
    person = actor_of(add_person("Ada"))
    text = add_token(person.id)
    set_times(created, expires)
    assert tokens.count_own(person) == int(works)
    assert [token.has_expired() for token in tokens.list_tokens(person)] == [not works]
    if works:
        assert tokens.authenticate(text).id == person.id
        return
    with pytest.raises(Unauthorized, match="expired"):
        tokens.authenticate(text)
    assert tokens.list_tokens(person)[0].used_at is None


def test_of_many_at_once_twenty_are_created(any_app):
    """Expired and revoked ones do not count."""
    person = actor_of(add_person("Ada"))
    add_token(person.id)
    set_times(LIFE, -SECOND)
    for _token in range(TOKENS_MOST - 1):
        add_token(person.id)
    works = [partial(tokens.store_token, person, f"number {n}") for n in range(4)]
    results = at_once(any_app, *works)
    assert [isinstance(result, Conflict) for result in results].count(True) == 3
    assert tokens.count_own(person) == TOKENS_MOST
    tokens.revoke_token(person, 2)
    tokens.store_token(person, "again")


def test_others_can_neither_list_nor_revoke(any_app):
    owner, other = add_person("owner"), actor_of(add_person("other", "editor"))
    admin = actor_of(add_person("admin", "admin"))
    add_token(owner)
    with pytest.raises(Forbidden):
        tokens.list_tokens(other, owner)
    with pytest.raises(Forbidden):
        tokens.revoke_token(other, 1, owner)
    with pytest.raises(NotFound):
        tokens.revoke_token(admin, 1, other.id)
    assert [token.id for token in tokens.list_tokens(admin, owner)] == [1]
    tokens.revoke_token(admin, 1, owner)
    assert tokens.list_tokens(admin, owner) == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:5060", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"), ("", ""), ("x" * 500, "x" * 64),
    ],
)  # fmt: skip
def test_the_address_of_the_last_use_fits_its_column(any_app, address, shown):
    person = actor_of(add_person("Ada"))
    tokens.authenticate(add_token(person.id), address)
    assert tokens.list_tokens(person)[0].used_from == shown


def test_an_unknown_person_has_none(any_app):
    assert tokens.list_tokens(OPERATOR, 99) == []
