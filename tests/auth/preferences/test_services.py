"""The service that changes preferences, and how Redis follows."""

import pytest

from app.actor import Preferences
from app.auth import queries
from app.auth.preferences.services import update_preferences
from app.auth.sessions.content import read_preferences
from app.auth.sessions.epochs import person_key, publish_person
from app.database.engine import db
from app.errors import Invalid
from tests.factories import actor_of, add_person, at_once, entries


@pytest.fixture
def viewer(any_app):
    return actor_of(add_person("viewer"))


def stored(actor):
    db.session.rollback()
    return queries.load_person(actor.person_id).preferences


def test_choices_are_stored_one_by_one(viewer):
    assert stored(viewer) == Preferences()
    update_preferences(viewer, language="zh")
    update_preferences(viewer, time_zone="berlin", page_size=200)
    assert stored(viewer) == Preferences("zh", "Europe/Berlin", 200)
    update_preferences(viewer, language=None, time_zone="")
    assert stored(viewer) == Preferences(page_size=200)
    assert entries() == []


def test_wrong_choices_are_refused_together_and_nothing_is_stored(viewer):
    with pytest.raises(Invalid) as refused:
        update_preferences(viewer, language="tlh", time_zone="Mars/Olympus", page_size=7)
    assert set(refused.value.fields) == {"language", "time_zone", "page_size"}
    with pytest.raises(Invalid):
        update_preferences(viewer, language="zh", page_size=-1)
    assert stored(viewer) == Preferences()


def test_a_zone_that_this_machine_has_forgotten_is_in_nobodys_way(viewer):
    queries.load_person(viewer.person_id).time_zone = "Mars/Olympus"
    db.session.commit()
    update_preferences(viewer, page_size=100)
    assert stored(viewer) == Preferences(None, "Mars/Olympus", 100)


def test_of_two_changes_at_once_both_count(any_app, viewer):
    results = at_once(
        any_app,
        lambda: update_preferences(viewer, language="zh"),
        lambda: update_preferences(viewer, page_size=100),
    )
    assert all(isinstance(each, Preferences) for each in results), results
    assert stored(viewer) == Preferences("zh", None, 100)


def test_redis_has_them_once_it_knows_the_person(viewer, store):
    key = person_key(viewer.person_id)
    update_preferences(viewer, language="zh")
    assert not store.exists(key)
    publish_person(viewer.person_id)
    assert read_preferences(store.hget(key, "preferences")) == Preferences("zh")
    update_preferences(viewer, language="en", page_size=100)
    assert read_preferences(store.hget(key, "preferences")) == Preferences("en", None, 100)
    assert store.ttl(key) > 80_000


@pytest.mark.parametrize("text", ["", "x", "[]", '{"language": 5}', '{"page_size": "many"}'])
def test_what_something_else_wrote_counts_as_none(text):
    assert read_preferences(text) == Preferences()


def test_fields_of_a_later_release_are_ignored():
    assert read_preferences('{"language": "zh", "font": "large"}') == Preferences("zh")
