"""Services check the permission, run in one transaction, and are not nested."""

import pytest

from app.actor import ANONYMOUS, Actor, Role, Via
from app.database.service import ANYONE, permitted, service
from app.errors import Forbidden, Unauthorized

VIEWER = Actor(1, "Vera", Role.VIEWER)
EDITOR = Actor(2, "Ed", Role.EDITOR)
ADMIN = Actor(3, "Ada", Role.ADMIN)
SCRIPT = Actor(3, "Ada", Role.ADMIN, Via.TOKEN, token_id=1)


@service(Role.EDITOR)
def edit(actor, log):
    """A service for editors."""
    log.append(actor.name)
    return len(log)


@pytest.mark.parametrize(("actor", "refusal"), [(ANONYMOUS, Unauthorized), (VIEWER, Forbidden)])
def test_too_low_a_role_is_refused_before_anything_runs(app, actor, refusal):
    log = []
    with app.app_context(), pytest.raises(refusal):
        edit(actor, log)
    assert log == []


@pytest.mark.parametrize("actor", [EDITOR, ADMIN, SCRIPT, Actor.operator()])
def test_a_role_includes_the_ones_before_it(app, actor):
    with app.app_context():
        assert edit(actor, []) == 1


def test_a_token_is_refused_where_it_is_not_enough(app):
    @permitted(Role.ADMIN, by_token=False)
    def read(actor):
        return "read"

    assert read(ADMIN) == "read"
    with pytest.raises(Forbidden):
        read(SCRIPT)


def test_visitors_may_call_services_for_anyone(app):
    @service(ANYONE)
    def sign_in(actor):
        return actor

    with app.app_context():
        assert sign_in(ANONYMOUS) is ANONYMOUS


def test_a_service_inside_another_is_an_error(app):
    @service(Role.EDITOR)
    def outer(actor):
        edit(actor, [])

    with app.app_context(), pytest.raises(RuntimeError, match="inside another"):
        outer(EDITOR)
