"""The services check the role by themselves, whatever a view does."""

import importlib
import inspect
import pkgutil

import pytest
from flask import g

import app.auth
import app.setup
from app.actor import ANONYMOUS, Actor, Role, Via
from app.auth import queries
from app.cities import services as cities
from app.errors import Forbidden, Unauthorized
from app.history.subjects import all_subjects
from app.web.permissions import role_required
from tests.cities.conftest import add_city
from tests.factories import OPERATOR, actor_of, add_person, add_token
from tests.files.helpers import store

# Whoever adds a service adds a line. None: for visitors too.
REQUIRED = {
    "app.auth.listing.select_people": Role.ADMIN,
    "app.auth.queries.get_person": Role.VIEWER,
    "app.auth.queries.list_people": Role.ADMIN,
    "app.auth.services.add_person": Role.ADMIN,
    "app.auth.services.create_person": Role.ADMIN,
    "app.auth.services.give_first_password": Role.ADMIN,
    "app.auth.services.invite_person": Role.ADMIN,
    "app.auth.services.replace_password": Role.ADMIN,
    "app.auth.services.set_active": Role.ADMIN,
    "app.auth.services.set_password": Role.ADMIN,
    "app.auth.services.set_role": Role.ADMIN,
    "app.auth.sign_in.change_password": Role.VIEWER,
    "app.auth.sign_in.replace_own_password": Role.VIEWER,
    "app.auth.sign_in.sign_in": None,
    "app.auth.tokens.create_token": Role.VIEWER,
    "app.auth.tokens.list_tokens": Role.VIEWER,
    "app.auth.tokens.revoke_token": Role.VIEWER,
    "app.setup.services.add_administrator": None,
    "app.setup.services.claim": None,
}
ACTORS = [ANONYMOUS, *(Actor(1, str(role), role) for role in Role)]


def permitted_functions():
    """Every function of the two packages that checks a role, by its full name."""
    found = {}
    for package in (app.auth, app.setup):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
            for name, function in members:
                if function.__module__ == module.name and hasattr(function, "required_role"):
                    found[f"{module.name}.{name}"] = function
    return found


FUNCTIONS = permitted_functions()
REFUSALS = {Unauthorized: "Please sign in", Forbidden: "Your role does not include this"}
TOO_LOW = [
    (name, actor)
    for name, role in REQUIRED.items()
    if role is not None
    for actor in ACTORS
    if not actor.has_role(role)
]


def test_every_service_requires_the_role_of_the_list():
    assert {name: function.required_role for name, function in FUNCTIONS.items()} == REQUIRED


@pytest.mark.parametrize(("name", "actor"), TOO_LOW, ids=lambda each: getattr(each, "name", each))
def test_too_low_a_role_is_refused_before_anything_is_read(name, actor):
    # Without arguments and without an application: nothing else of the service runs.
    refusal = Unauthorized if actor is ANONYMOUS else Forbidden
    with pytest.raises(refusal, match=REFUSALS[refusal]):
        FUNCTIONS[name](actor)


@pytest.mark.parametrize("name", [name for name, role in REQUIRED.items() if role is not None])
def test_a_token_is_not_enough_whoever_owns_it(name):
    script = Actor(1, "admin", Role.ADMIN, Via.TOKEN, token_id=1)
    with pytest.raises(Forbidden, match="A token is not enough"):
        FUNCTIONS[name](script)


def test_oneself_and_for_administrators_everybody_can_be_read(any_app):
    admin, viewer = add_person("admin", "admin"), add_person("viewer")
    assert queries.get_person(actor_of(viewer), viewer).name == "viewer"
    assert queries.get_person(actor_of(admin), viewer).name == "viewer"
    assert queries.get_person(OPERATOR, admin).name == "admin"
    for stranger in (admin, 99):
        with pytest.raises(Forbidden):
            queries.get_person(actor_of(viewer), stranger)


def test_the_command_line_is_not_a_visitor(any_app):
    """It has no id, as visitors have none, but a role."""
    city_id, person_id = add_city(), add_person("editor", "editor")
    assert cities.load_city(OPERATOR, city_id).id == city_id
    with pytest.raises(Unauthorized):
        cities.load_city(ANONYMOUS, city_id)
    add_token(person_id)
    file_id = store(person_id, "a.txt", b"1").id
    for kind, subject_id in (
        ("city", city_id), ("file", file_id), ("person", person_id), ("token", 1),
    ):  # fmt: skip
        may_read = all_subjects()[kind].may_read
        assert list(may_read(OPERATOR, [subject_id])) == [subject_id], kind
        assert not list(may_read(ANONYMOUS, [subject_id])), kind


def test_the_guard_of_views_asks_for_the_role_alone(app):
    view = role_required(Role.EDITOR)(lambda: "shown")
    with app.test_request_context():
        g.must_change_password = False
        g.actor = OPERATOR
        assert view() == "shown"
        g.actor = ANONYMOUS
        with pytest.raises(Unauthorized):
            view()
