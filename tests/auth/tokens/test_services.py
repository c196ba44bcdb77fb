"""Tokens of scripts."""

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.tokens import services as tokens
from app.errors import Invalid, NotFound
from tests.factories import OPERATOR, actor_of, add_person, add_token


def test_token_is_kept_as_a_digest_and_works_until_it_is_revoked(any_app):
    person = actor_of(add_person("somebody", "editor"))
    text = tokens.create_token(person, " backup ")
    assert text.startswith("gz_")
    [row] = tokens.list_tokens(person)
    assert (row.label, row.digest) == ("backup", tokens.digest(text))
    assert tokens.authenticate(text).name == "somebody"
    assert tokens.list_tokens(person)[0].used_at is not None
    for wrong in ("", "gz_", text[:-1], text + "x", text.upper()):
        assert tokens.authenticate(wrong) is None
    tokens.revoke_token(person, row.id)
    assert tokens.authenticate(text) is None
    assert tokens.list_tokens(person) == []


def test_token_of_somebody_else_is_not_found(any_app):
    owner, stranger = actor_of(add_person("owner")), actor_of(add_person("stranger"))
    tokens.create_token(owner, "laptop")
    [row] = tokens.list_tokens(owner)
    with pytest.raises(NotFound):
        tokens.revoke_token(stranger, row.id)
    assert tokens.list_tokens(owner) != []


def test_label_that_breaks_a_rule_is_refused(any_app):
    person = actor_of(add_person("somebody"))
    for label in ("", "  ", "x" * 65):
        with pytest.raises(Invalid):
            tokens.create_token(person, label)


def test_token_opens_addresses_for_its_role(app):
    with app.app_context():
        text = add_token(add_person("somebody"))
    client = app.test_client()
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = client.get("/cities", headers={"Authorization": f"{scheme} {text}"})
        assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    with app.app_context():
        auth.set_active(OPERATOR, queries.find_person("somebody").id, False)
    answer = client.get("/cities", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_wrong_tokens_are_slowed(app):
    with app.app_context():
        right = add_token(add_person("somebody"))
    client = app.test_client()
    for _try in range(20):
        answer = client.get("/cities", headers={"Authorization": "Bearer gz_wrong"})
        assert answer.status_code == 401
        assert answer.json["error"] == "This token is not valid."
    answer = client.get("/cities", headers={"Authorization": "Bearer gz_wrong"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    # A right one needs no patience.
    answer = client.get("/cities", headers={"Authorization": f"Bearer {right}"})
    assert answer.status_code == 200
