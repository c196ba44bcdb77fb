"""Who may read a file, on both databases."""

import pytest

from app.actor import ANONYMOUS, Actor, Role
from app.errors import Unauthorized
from app.files import queries, services
from tests.files.helpers import editor, store


def test_editors_and_owners_may_change_some_file(people):
    viewer = Actor(people[0], "viewer", Role.VIEWER)
    assert queries.may_change_some(editor(people[0]))
    assert not queries.may_change_some(viewer)
    store(people[1], "a.txt", b"x")
    assert not queries.may_change_some(viewer)
    services.remove_file(editor(people[0]), store(people[0], "b.txt", b"x").id)
    assert queries.may_change_some(viewer)
    with pytest.raises(Unauthorized):
        queries.may_change_some(ANONYMOUS)


def test_visitors_read_no_file(people):
    stored = store(people[0], "a.txt", b"x")
    file = queries.load_file(Actor(people[1], "viewer", Role.VIEWER), stored.id)
    for read, about in (
        (queries.load_file, stored.id),
        (queries.find_file, "a.txt"),
        (queries.list_versions, file),
    ):
        with pytest.raises(Unauthorized):
            read(ANONYMOUS, about)
