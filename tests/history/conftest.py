"""Kinds of subject and entries for tests of the history."""

import pytest

from app.actor import Actor, Role, Via
from app.database.service import service
from app.history.services import record
from app.history.subjects import EXTENSION, Subject, register

ADMIN = Actor(1, "admin", Role.ADMIN)
ADA = Actor(7, "Ada", Role.EDITOR)
SCRIPT = Actor(7, "Ada", Role.EDITOR, Via.TOKEN, token_id=3)


@service(Role.EDITOR)
def change(actor, action, *changes, **more):
    """A service that records."""
    record(actor, action, *changes, **more)


@pytest.fixture
def known(any_app, monkeypatch):
    """The subjects of `any_app`: people 1 and 7, and the ships 1 to 3, of which 3 is secret."""
    return register_kinds(any_app, monkeypatch)


def register_kinds(app, monkeypatch):
    """Register two kinds for one test; returns the ids whose labels were asked for, one list for
    each query."""
    asked = []
    monkeypatch.setitem(app.extensions, EXTENSION, {**app.extensions[EXTENSION]})

    def labels(names):
        def find(ids):
            asked.append(sorted(ids))
            return {each: names[each] for each in ids if each in names}

        return find

    people = Subject(
        kind="person",
        name="Person",
        labels=labels({1: "admin", 7: "Ada Lovelace"}),
        url=lambda each: f"/people/{each}",
        may_read=lambda actor, ids: ids if actor.is_admin else (),
        actions={"person.update": "Person changed"},
        fields={"name": "Name", "role": "Role"},
        formats={"role": lambda role: f"<{role}>"},
    )
    ships = Subject(
        kind="ship",
        name="Ship",
        labels=labels({1: "Beagle", 2: "<Fram>", 3: "Nautilus"}),
        url=lambda each: f"/ships/{each}",
        may_read=lambda _actor, ids: [each for each in ids if each != 3],
        actions={
            "ship.create": "Ship added",
            "ship.update": "Ship changed",
            "ship.delete": "Ship removed",
        },
        fields={"port": "Port", "ship": "Name", "crew": "Crew"},
        name_field="ship",
    )
    cargo = Subject(
        kind="cargo",
        name="Cargo",
        labels=labels({1: "tea (Beagle)"}),
        url=lambda each: "",
        may_read=lambda _actor, _ids: (),
        actions={"cargo.create": "Cargo loaded", "cargo.update": "Cargo changed"},
        fields={"what": "What", "boxes": "Boxes"},
        counts={"boxes"},
        fixed_name=True,
    )
    register(app, cargo)
    register(app, people)
    register(app, ships)
    return asked
