"""When Redis gets to know a change: with the session of its request, or before something needs it,
and always in the end."""

import pymysql
import pytest
from flask import g
from gevent import GreenletExit
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.actor import Actor, Role
from app.cities import views
from app.current import actor
from app.database.engine import db
from app.database.service import after_commit, unrecorded
from app.redis import unsent
from app.redis.cache import SharedCache
from app.redis.scripts import Call
from tests import servers
from tests.cities.conftest import NEW
from tests.factories import add_token, connections_held

CACHE, OTHER = SharedCache("gz:test"), SharedCache("gz:other")
WRITER = Actor(2, "Vera", Role.EDITOR, last_write=0)


class Version:
    """Notices changes that Redis gets to know."""

    def __init__(self, store, prefix):
        self.store, self.key = store, f"{prefix}:mark"
        self.seen = store.get(self.key)

    def changed(self):
        """Whether there was a change since the last question."""
        before, self.seen = self.seen, self.store.get(self.key)
        return self.seen != before


@pytest.fixture
def holding(app):
    """A request that holds its changes back."""
    with app.test_request_context():
        g.request_id, g.actor = "test", WRITER
        unsent.hold()
        yield


@pytest.fixture
def version(app, store):
    return Version(store, "gz:test")


@unrecorded
def change(*caches):
    for cache in caches or (CACHE,):
        after_commit(cache.invalidate)


def test_a_held_change_is_sent_at_the_end(holding, version):
    change()
    assert actor().last_write is None
    assert not version.changed()
    unsent.end_hold()
    assert version.changed()
    assert actor().last_write > 0
    unsent.end_hold()
    assert not version.changed()


def test_after_the_end_changes_are_sent_at_once(holding, version):
    unsent.end_hold()
    change()
    assert version.changed()


def test_it_is_sent_before_the_next_transaction(holding, version):
    change()
    seen = []
    unrecorded(lambda: seen.append(version.changed()))()
    assert seen == [True]


def test_it_is_sent_before_a_look_up(holding, version):
    assert CACHE.get_or_compute("key", str, lambda: "old") == "old"
    change()
    assert CACHE.get_or_compute("key", str, lambda: "new") == "new"
    assert version.changed()


def test_what_runs_in_the_same_trip_does_not_wait(holding, version, app):
    change()
    with connections_held(app) as trips:
        CACHE.invalidate(also=Call('ask("SET", KEYS[1], "1")', ["gz:also"], []))
    assert version.changed()
    assert version.store.get("gz:also") == "1"
    assert len(trips) in (1, 3)


def set_later(version):
    """Have a key set with what is sent next; returns the key."""
    unsent.run_later(Call('ask("SET", KEYS[1], "1")', ["gz:later"], []))
    assert not version.store.exists("gz:later")
    return "gz:later"


def test_a_script_for_later_runs_in_the_next_trip(holding, version, app):
    for _time in range(2):
        unsent.hold()
        change()
        key = set_later(version)
        with connections_held(app) as trips:
            assert unsent.send(Call("return 7", [], [])) == [7]
            unsent.end_hold()
        assert version.changed()
        assert version.store.delete(key)
    assert len(trips) == 1


def test_a_script_for_later_runs_at_the_end_at_the_latest(app, version):
    with app.test_request_context():
        key = set_later(version)
    assert version.store.exists(key)


def test_changes_of_several_tables_are_sent_in_one_trip(holding, version, app):
    other = Version(version.store, "gz:other")
    for _time in range(2):
        unsent.hold()
        change(CACHE, OTHER, CACHE)
        with connections_held(app) as trips:
            unsent.end_hold()
    assert len(trips) == 1
    assert version.changed()
    assert other.changed()


def test_a_lost_connection_to_the_database_loses_no_change(holding, version, monkeypatch):
    def lost(*_args):
        raise OperationalError("ROLLBACK", {}, pymysql.err.OperationalError(2006, "gone"))

    change()
    db.session.scalar(text("SELECT 1"))
    monkeypatch.setattr(db.session, "close", lost)
    unsent.end_hold()
    assert version.changed()


def test_no_connection_to_the_database_is_held_while_it_is_sent(holding, app, version):
    change()
    db.session.scalar(text("SELECT 1"))
    with connections_held(app) as held:
        unsent.end_hold()
    assert set(held) == {0}


def test_what_redis_did_not_take_is_sent_once_it_does(holding, version, monkeypatch):
    def away(*_calls):
        raise RedisError

    with monkeypatch.context() as patch:
        patch.setattr(unsent, "run_together", away)
        change()
        unsent.end_hold()
        assert not version.changed()
    # Nobody asks this process for anything.
    servers.wait_until(version.changed, "Redis knows the change")
    servers.wait_until(lambda: not unsent.missed().is_sending, "nothing is left to send")


@pytest.fixture
def cities(store, app):
    return Version(store, "gz:cities")


@pytest.fixture
def add(as_role, cities):
    """Send the form of a new city, after its page was opened."""
    editor = as_role("editor")

    def add(city="深圳市"):
        form = {**NEW, "city": city, "csrf_token": editor.token("/cities/new")}
        cities.changed()
        return editor.client.post("/cities/new", data=form)

    return add


@pytest.fixture
def seen(monkeypatch, cities):
    """Whether Redis knows the change while the view of a new city ends."""
    seen, city_name = [], views.city_name

    def note(name):
        seen.append(cities.changed())
        return city_name(name)

    monkeypatch.setattr(views, "city_name", note)
    return seen


def test_a_page_sends_it_with_its_session(add, cities, seen):
    assert add().status_code == 303
    assert seen == [False]
    assert cities.changed()


def test_a_script_sends_it_at_once(app, as_role, cities, seen):
    as_role("editor")
    with app.app_context():
        headers = {"Authorization": f"Bearer {add_token(1)}"}
    assert app.test_client().post("/cities/new", data=NEW, headers=headers).status_code == 303
    assert seen == [True]


def test_a_view_that_fails_sends_it(add, cities, monkeypatch):
    monkeypatch.delattr(views, "Notice")
    assert add().status_code == 500
    assert cities.changed()


def test_a_view_that_is_killed_sends_it(add, cities, monkeypatch):
    def kill(_name):
        raise GreenletExit()

    monkeypatch.setattr(views, "city_name", kill)
    with pytest.raises(GreenletExit):
        add()
    assert cities.changed()


def test_a_session_that_ended_in_the_meantime_sends_it(add, cities, store, monkeypatch):
    def end(_name):
        store.delete(*store.keys("gz:session:*"))
        return "name"

    monkeypatch.setattr(views, "city_name", end)
    add()
    assert cities.changed()
    assert store.keys("gz:session:*") == []
