"""Changes to people and tokens in the security log: after the commit, whoever makes them."""

import pytest

from app.auth import services as auth
from app.auth.sign_in import services as sign_in
from app.auth.tokens import services as tokens
from app.errors import Forbidden, Invalid
from tests.factories import OPERATOR, PASSWORD, actor_of, add_person, claim


def test_commands_are_logged(flask, events):
    assert flask("create-user", "Ada", typed=PASSWORD).exit_code == 0
    assert flask("set-password", "ada", typed="another password").exit_code == 0
    assert flask("create-user", "ADA", typed=PASSWORD).exit_code == 1
    by = {"person": "operator", "via": "command"}
    assert events() == [
        {"event": "person-created", **by, "about": "Ada", "role": "viewer"},
        {"event": "password-changed", **by, "about": "Ada"},
    ]


def test_own_tokens_and_passwords_are_logged(any_app, events):
    ada = actor_of(add_person("Ada"))
    tokens.store_token(ada, "nightly report")
    tokens.revoke_token(ada, 1)
    tokens.revoke_token(ada, 1)  # changes nothing
    tokens.store_token(ada, "backup")
    sign_in.change_password(ada, PASSWORD, "another password")
    with pytest.raises(Invalid):
        sign_in.change_password(ada, PASSWORD, "another password")
    by = {"person": "Ada", "via": "page"}
    assert events() == [
        {"event": "token-created", **by, "token": 1, "days": 90},
        {"event": "token-revoked", **by, "token": 1, "about": "Ada"},
        {"event": "token-created", **by, "token": 2, "days": 90},
        {"event": "tokens-revoked", **by, "about": "Ada", "count": 1},
        {"event": "password-changed", **by, "about": "Ada"},
        {"event": "password-refused"},
    ]


def test_claiming_is_logged_under_the_new_name(any_app, events):
    claim("林小梅")
    assert events() == [{"event": "installation-claimed", "person": "林小梅", "via": "page"}]


def test_what_is_refused_or_changes_nothing_is_not_logged(any_app, events):
    admin, other = actor_of(add_person("admin", "admin")), add_person("Ada")
    assert auth.set_role(admin, other, "viewer") is False
    assert auth.set_active(admin, other, True) is False
    with pytest.raises(Forbidden):
        auth.set_active(admin, admin.id, False)
    with pytest.raises(Invalid):
        auth.create_person(OPERATOR, "ADA", PASSWORD, "viewer")
    assert events() == []
