"""What the history shows of people and tokens."""

import pytest
from flask_babel import force_locale

from app.actor import ANONYMOUS, Actor, Role
from app.auth.tokens import services as tokens
from app.history.subjects import all_subjects
from tests.factories import actor_of, add_person, add_token, statements


@pytest.fixture
def ada(any_app):
    """The second person, with a token."""
    add_person("Grace", "admin")
    person = actor_of(add_person("Ada"))
    tokens.store_token(person, "nightly")
    return person


def test_labels_are_read_in_one_query(ada):
    add_token(1, "backup")
    with statements() as sent:
        assert all_subjects()["person"].labels({1, 2, 99}) == {1: "Grace", 2: "Ada"}
        assert all_subjects()["token"].labels([1, 2, 99]) == {
            1: "nightly (Ada)",
            2: "backup (Grace)",
        }
    assert len([statement for statement, _values in sent if statement.startswith("SELECT")]) == 2


def test_a_revoked_token_still_has_its_label(ada):
    tokens.revoke_token(ada, 1)
    assert all_subjects()["token"].labels([1]) == {1: "nightly (Ada)"}


def test_addresses(any_app, ada):
    with any_app.test_request_context():
        assert all_subjects()["person"].url(2) == "/people/2"
        assert all_subjects()["token"].url(1) == ""


def test_administrators_and_oneself_may_read(ada):
    admin, stranger = Actor(1, "Grace", Role.ADMIN), Actor(3, "Zoë", Role.EDITOR)
    for kind, subject_id in (("person", 2), ("token", 1)):
        may_read = all_subjects()[kind].may_read
        actors = (admin, ada, stranger, ANONYMOUS)
        assert [actor for actor in actors if list(may_read(actor, [subject_id]))] == [admin, ada]
    assert not all_subjects()["token"].may_read(ANONYMOUS, [99])


def test_fields_are_named(any_app):
    assert set(all_subjects()["person"].fields) == {
        "name", "role", "active", "must_change_password",
    }  # fmt: skip
    assert set(all_subjects()["token"].fields) == {"label", "days"}


def test_roles_are_named_in_the_language_of_the_reader(any_app):
    show = all_subjects()["person"].formats["role"]
    with any_app.test_request_context():
        assert show("viewer") == "Viewer"
        with force_locale("zh"):
            assert show("admin") == "管理员"
