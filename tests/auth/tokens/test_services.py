"""Tokens of scripts."""

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.tokens import services as tokens
from app.errors import Invalid, NotFound
from tests.factories import OPERATOR, actor_of, add_person, add_token


def test_token_is_stored_as_a_digest_and_works_until_it_is_revoked(any_app):
    person = actor_of(add_person("Ada", "editor"))
    text = tokens.create_token(person, " backup ")
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
    tokens.create_token(owner, "laptop")
    [row] = tokens.list_tokens(owner)
    with pytest.raises(NotFound):
        tokens.revoke_token(stranger, row.id)
    assert tokens.list_tokens(owner) != []


def test_invalid_label_is_refused(any_app):
    person = actor_of(add_person("Ada"))
    for label in ("", "  ", "x" * 65):
        with pytest.raises(Invalid):
            tokens.create_token(person, label)


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
