"""Entries are written with the change, or not at all."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import literal, null, select

from app.actor import ANONYMOUS, Actor, Role, Via
from app.auth.models import Person
from app.database.service import service
from app.errors import Conflict, Forbidden, Unauthorized
from app.history import services
from app.history.models import ADMINISTRATORS, BATCH_ID_LENGTH, EVERYBODY
from app.history.services import Change, changed_fields, dump, new_batch_id, record, record_rows
from app.times import now
from tests.factories import add_person, at_once, entries

ADA = Actor(7, "Ada", Role.EDITOR, Via.TOKEN, token_id=3, request_id="a1b2c3d4")


@service(Role.EDITOR)
def change(actor, *changes, **more):
    """A service that records."""
    record(actor, "city.update", *changes, **more)


def test_entry_says_who_what_when_and_how(any_app):
    begun = now()
    change(
        ADA, Change(5, {"city": "深圳"}, {"city": "深圳市"}, version=2), batch_id="9", reverts_id=4
    )
    [entry] = entries()
    assert (entry.actor_id, entry.via, entry.token_id, entry.request_id) == (
        7,
        "token",
        3,
        "a1b2c3d4",
    )
    assert (entry.action, entry.subject_kind, entry.subject_id) == ("city.update", "city", 5)
    assert (json.loads(entry.before), json.loads(entry.after)) == (
        {"city": "深圳"},
        {"city": "深圳市"},
    )
    assert (entry.version, entry.batch_id, entry.reverts_id) == (2, "9", 4)
    assert entry.visible_to == EVERYBODY
    assert begun <= entry.at <= now()


def test_something_new_has_no_values_before_and_something_removed_none_after(any_app):
    change(ADA, Change(1, after={"city": "a"}), Change(2, before={"city": "b"}))
    assert [(entry.before is None, entry.after is None) for entry in entries()] == [
        (True, False),
        (False, True),
    ]


def test_command_line_has_no_id(any_app):
    change(Actor.operator(), Change(1, after={}), visible_to=ADMINISTRATORS)
    [entry] = entries()
    assert (entry.actor_id, entry.via, entry.visible_to) == (None, "command", ADMINISTRATORS)


def test_a_refused_service_leaves_no_entry(any_app):
    @service(Role.EDITOR)
    def refused(actor):
        record(actor, "city.update", Change(1, {}, {}))
        raise Conflict("no")

    with pytest.raises(Conflict):
        refused(ADA)
    assert entries() == []


def test_many_changes_are_recorded_by_one_statement(any_app):
    people = [add_person(name) for name in ("one", "two")]

    @service(Role.EDITOR)
    def change_all(actor):
        rows = select(Person.id, null(), literal(dump({"city": "深圳"})), literal(1))
        record_rows(actor, "city.create", rows.order_by(Person.id), batch_id="9")

    change_all(ADA)
    found = entries()
    assert [(entry.subject_id, entry.before, entry.after, entry.version) for entry in found] == [
        (person, None, '{"city": "深圳"}', 1) for person in people
    ]
    common = {(each.actor_id, each.token_id, each.action, each.batch_id) for each in found}
    assert common == {(7, 3, "city.create", "9")}
    assert {entry.subject_kind for entry in found} == {"city"}
    assert now() - found[0].at < timedelta(seconds=20)


def test_batch_ids_differ_and_fit():
    one, other = new_batch_id(), new_batch_id()
    assert one != other
    assert len(one) == len(other) == BATCH_ID_LENGTH


def test_changed_fields_are_those_that_differ():
    before, after = {"a": 1, "b": 2}, {"a": 1, "b": 3}
    assert changed_fields(before, after) == ({"b": 2}, {"b": 3})


def test_two_prunings_at_once_count_each_entry_once(any_app, monkeypatch):
    monkeypatch.setattr(services, "PRUNE_BATCH", 50)
    change(ADA, *(Change(number, after={}) for number in range(400)))
    moment = now()
    pruned = at_once(any_app, *[lambda: services.prune(Actor.operator(), moment)] * 2)
    assert sum(pruned) == 400
    recorded = [json.loads(entry.after)["entries"] for entry in entries("history")]
    assert sum(recorded) == 400


def test_old_entries_are_pruned_and_newer_ones_stay(any_app, monkeypatch):
    monkeypatch.setattr(services, "PRUNE_BATCH", 2)
    change(ADA, *(Change(number, after={}) for number in range(5)))
    moment = now()
    change(replace(ADA, id=8), Change(9, after={}))
    assert services.prune(Actor.operator(), moment) == 5
    newer, pruning = entries()
    assert newer.actor_id == 8
    assert (pruning.action, pruning.via, pruning.visible_to) == (
        "history.prune",
        "command",
        ADMINISTRATORS,
    )
    assert json.loads(pruning.after) == {"until": moment.isoformat(), "entries": 5}
    assert services.prune(Actor.operator(), moment) == 0
    assert len(entries()) == 2, "where nothing is deleted, nothing is recorded"


def test_an_interrupted_pruning_has_recorded_what_it_deleted(any_app, monkeypatch):
    monkeypatch.setattr(services, "PRUNE_BATCH", 2)
    change(ADA, *(Change(number, after={}) for number in range(7)))
    delete_batch, recorded = services.prune_batch, []

    def inspect_after_each(*arguments):
        count = delete_batch(*arguments)
        *left, pruning = entries()
        recorded.append(json.loads(pruning.after)["entries"])
        assert len(left) + recorded[-1] == 7
        if recorded[-1] == 6:
            raise KeyboardInterrupt
        return count

    monkeypatch.setattr(services, "prune_batch", inspect_after_each)
    with pytest.raises(KeyboardInterrupt):
        services.prune(Actor.operator(), now())
    assert recorded == [2, 4, 6]


def test_pruning_never_deletes_its_own_entry(any_app):
    change(ADA, Change(1, after={}))
    assert services.prune(Actor.operator(), now() + timedelta(days=1)) == 1
    assert [entry.action for entry in entries()] == ["history.prune"]


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(ADA, Forbidden), (replace(ADA, role=Role.ADMIN), Forbidden), (ANONYMOUS, Unauthorized)],
)
def test_pruning_is_for_administrators_without_a_token(app, actor, refusal):
    with app.app_context():
        change(ADA, Change(1, after={}))
        with pytest.raises(refusal):
            services.prune(actor, now())
        assert len(entries()) == 1
