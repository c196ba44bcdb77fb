"""What is shown, computed and stored while values are stale: one request computes, a reader may
see the previous value for a second, and whoever made the change never."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from flask import g
from redis import Redis

from app.actor import Actor, Role, Via
from app.current import actor, visitor
from app.errors import Unavailable
from app.redis import cache as caches
from app.redis import flight
from app.redis import lock as locks
from app.redis.cache import CachedValue, SharedCache
from app.redis.client import redis_store
from app.redis.flight import Turns
from app.redis.lifetime import lifetime
from app.redis.lock import Lock
from tests import servers
from tests.cities.conftest import NEW
from tests.factories import connections_held, note_calls, without_redis

CACHE = SharedCache("gz:test")
KEY, LOCK_KEY = "gz:test:key", "gz:lock:gz:test:key"
READER = Actor(2, "Vera", Role.VIEWER, last_write=0)
WRITER = replace(READER, id=9)


@pytest.fixture
def app(make_app, monkeypatch):
    """On a loaded machine Redis may answer later, and a second is not long enough for a test."""
    monkeypatch.setattr(caches, "PREVIOUS_SECONDS", 600)
    monkeypatch.setattr(caches, "WAIT_SECONDS", 60)
    monkeypatch.setattr(locks, "LEASE_SECONDS", 60)
    return make_app(REDIS_TIMEOUT_MS="10000")


@contextmanager
def request_of(app, who):
    with app.test_request_context():
        g.request_id = "test"
        g.actor = visitor() if who is None else who
        yield


def ask(compute=lambda: "computed"):
    return CACHE.get_or_compute("key", str, compute)


def change(app, who=READER):
    """A change by somebody, in another request."""
    with request_of(app, who):
        CACHE.invalidate()
        return actor().last_write


@contextmanager
def computing(app, text="new"):
    """Another request computes the value during this block."""
    began, done = threading.Event(), threading.Event()

    def compute():
        began.set()
        assert done.wait(60)
        return text

    def other():
        with app.app_context():
            return ask(compute)

    with ThreadPoolExecutor(1) as pool:
        computed = pool.submit(other)
        assert began.wait(60)
        try:
            yield done
        finally:
            done.set()
        assert computed.result(60) == text


def cache_previous(app):
    """A value that is stale because somebody else changed something."""
    with app.app_context():
        ask(lambda: "previous")
    change(app, replace(READER, id=9))


@pytest.mark.parametrize("who", [None, READER], ids=["visitor", "person"])
def test_readers_see_the_previous_value_while_one_computes(app, who):
    cache_previous(app)
    with computing(app), request_of(app, who):
        assert ask() == "previous"
    with request_of(app, who):
        assert ask() == "new"


@pytest.fixture
def waits(app, monkeypatch):
    """Whether somebody waits for the new value, instead of seeing the previous one."""
    looks = note_calls(monkeypatch, CachedValue, "look")

    def read(who):
        with app.app_context() if who is None else request_of(app, who):
            return ask()

    def waits(who):
        with computing(app) as done, ThreadPoolExecutor(1) as pool:
            looks.clear()
            reading = pool.submit(read, who)
            servers.wait_until(lambda: looks, "it looks")
            done.set()
            return reading.result(60) == "new"

    return waits


def test_the_writer_waits_for_a_current_value(app, waits):
    with app.app_context():
        ask(lambda: "previous")
    wrote = change(app)
    assert waits(replace(READER, last_write=wrote))
    change(app, replace(READER, id=9))
    with computing(app, "newer"), request_of(app, replace(READER, last_write=wrote)):
        assert ask() == "new"


@pytest.mark.parametrize(
    "who",
    [
        Actor(2, "Vera", Role.VIEWER, Via.TOKEN, token_id=1),
        Actor.operator(),
        None,
    ],
    ids=["token", "command", "nobody"],
)
def test_scripts_and_commands_wait_for_a_current_value(app, who, waits):
    cache_previous(app)
    assert waits(who)


def test_after_its_own_change_a_request_waits(app, waits):
    cache_previous(app)
    with request_of(app, READER):
        assert actor().last_write == 0
        CACHE.invalidate()
        assert actor().last_write > 0
        own = actor()
    assert waits(own)


def test_the_previous_value_is_shown_for_a_second_only(app, monkeypatch, waits):
    cache_previous(app)
    monkeypatch.setattr(caches, "PREVIOUS_SECONDS", 0)
    assert waits(READER)


def test_after_several_changes_the_age_of_the_value_counts(app, monkeypatch, waits):
    """When it became stale is not known any more, but not before it started."""
    cache_previous(app)
    begun = int(app.extensions["redis"].get(KEY).partition(" ")[0])
    for _ in range(2):
        change(app, replace(READER, id=9))
    monkeypatch.setattr(caches, "PREVIOUS_SECONDS", (now(app) - begun) / 2_000_000)
    assert waits(READER)


def now(app):
    seconds, microseconds = app.extensions["redis"].time()
    return seconds * 1_000_000 + microseconds


def test_a_value_that_began_after_the_first_look_is_right_whatever_changed_since(app):
    """Otherwise nobody would get a value while others change something all the time."""
    with app.app_context(), lifetime.begun():
        asked = CachedValue(CACHE, "key", str)
        first, second = Lock(LOCK_KEY), Lock(LOCK_KEY)
        assert asked.look(first) is None
        assert first.held
        waiting = CachedValue(CACHE, "key", str)
        assert waiting.look(second) is None
        assert not second.held
        CACHE.invalidate()
        asked.store(first, "began before the waiter looked")
        assert waiting.look(second) is None
        assert second.held
        waiting.store(second, "began after it")
        CACHE.invalidate()
        again = Lock(LOCK_KEY)
        assert waiting.look(again) == "began after it"
        assert CachedValue(CACHE, "key", str).look(again) is None


def test_an_older_value_is_not_stored_over_a_newer_one(app):
    with app.app_context():
        slow, quick = (CachedValue(CACHE, "key", str) for _ in range(2))
        lost, taken = Lock(LOCK_KEY), Lock(LOCK_KEY)
        slow.look(lost)
        redis_store.client.delete(LOCK_KEY)  # it expired
        quick.look(taken)
        with lifetime.begun():
            quick.store(taken, "newer")
            slow.store(lost, "older")
        assert ask() == "newer"


def test_a_lock_whose_answer_was_lost_is_found_again(app):
    with app.app_context():
        value, lock = CachedValue(CACHE, "key", str), Lock(LOCK_KEY)
        value.look(lock)
        lock.held = False
        assert value.look(lock) is None
        assert lock.held


def test_moments_grow_when_the_clock_of_redis_is_set_back(app):
    with app.app_context():
        ask(lambda: "previous")
        later = now(app) + 3_600_000_000
        redis_store.client.hset("gz:test:changes", "clock", later)
        CACHE.invalidate()
        assert ask(lambda: "new") == "new"
        assert redis_store.client.get(KEY).startswith(f"{later + 2} ")
        CACHE.invalidate()
        assert ask(lambda: "newer") == "newer"


@pytest.mark.parametrize(
    "lose",
    [
        lambda store: store.delete("gz:test:changes"),
        lambda store: store.delete("gz:test:mark"),
        lambda store: store.set("gz:test:mark", "c0ffee00c0ffee00"),
        lambda store: store.hset("gz:test:changes", "complete", "x"),
    ],
    ids=["changes", "version", "changed by the release before", "damaged"],
)
def test_without_all_changes_a_value_counts_as_absent(app, lose, waits):
    """For readers too: their own change may be one of those."""
    cache_previous(app)
    lose(app.extensions["redis"])
    assert waits(READER)
    with request_of(app, READER):
        assert ask() == "new"


def test_the_release_before_sees_our_changes(app):
    with app.app_context():
        ask()
        version = redis_store.client.get("gz:test:mark")
        CACHE.invalidate()
        assert redis_store.client.get("gz:test:mark") not in (None, version)


@pytest.fixture
def no_redis(app):
    """Lets Redis be away from now on, or be back."""
    with ExitStack() as stack:

        def set_away(away):
            if away:
                stack.enter_context(without_redis(app))
            else:
                stack.close()

        yield set_away


def test_redis_may_go_away_while_a_value_is_computed(app, no_redis):
    def compute():
        no_redis(True)
        return "computed"

    with app.app_context():
        assert ask(compute) == "computed"
        assert ask() == "computed"


def test_redis_may_go_away_while_a_request_waits(app, no_redis, monkeypatch):
    app.extensions["redis"].set(LOCK_KEY, "another", px=60_000)
    looks = note_calls(monkeypatch, CachedValue, "look")

    def wait():
        with app.app_context():
            return ask()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        servers.wait_until(lambda: len(looks) > 3, "it looks again and again")
        no_redis(True)
        assert waiting.result(60) == "computed"


def test_a_change_that_redis_missed_is_sent_with_the_next_call(app, no_redis):
    with app.app_context():
        ask(lambda: "previous")
    no_redis(True)
    with request_of(app, READER):
        CACHE.invalidate()
        assert actor().last_write is None
        assert ask() == "computed"
    no_redis(False)
    with request_of(app, READER):
        assert ask(lambda: "new") == "new"
    assert int(app.extensions["redis"].hget("gz:person:2", "wrote")) > 0


@pytest.mark.parametrize(
    ("name", "count", "away", "is_search"),
    [
        ("turns", 4, False, False),
        ("search_turns", 4, False, True),
        ("turns_without_redis", 8, True, False),
    ],
)
def test_few_values_are_computed_at_once(app, no_redis, monkeypatch, name, count, away, is_search):
    turns = getattr(flight, name)
    monkeypatch.setattr(turns, "seconds", 0.05)
    no_redis(away)
    held = [turns.free.acquire(timeout=0) for _ in range(count)]
    try:
        with app.app_context():
            with pytest.raises(Unavailable) as refusal:
                CACHE.get_or_compute("key", str, lambda: "computed", is_search)
            assert refusal.value.headers["Retry-After"] == "2"
    finally:
        assert held == [True] * count
        turns.free.release(count)
    no_redis(False)
    assert not app.extensions["redis"].exists(LOCK_KEY)


def test_a_request_that_waits_for_another_value_leaves_its_turn_to_whoever_computes_it(
    app, monkeypatch
):
    monkeypatch.setattr(caches, "turns", Turns(1, 60))

    def other():
        with app.app_context():
            return ask(lambda: "of the other")

    def compute():
        others.append(pool.submit(other))
        servers.wait_until(lambda: redis_store.client.exists(LOCK_KEY), "it has the lock")
        return f"page with {ask()}"

    others = []
    with ThreadPoolExecutor(1) as pool, app.app_context():
        assert CACHE.get_or_compute("page", str, compute) == "page with of the other"
        assert others[0].result(60) == "of the other"


def test_the_lock_is_renewed_while_a_value_is_computed(app, monkeypatch):
    """So that no other process computes it too, however long it takes."""
    monkeypatch.setattr(locks, "LEASE_SECONDS", 600)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)

    def compute():
        store = redis_store.client
        store.expire(LOCK_KEY, 300)
        servers.wait_until(lambda: store.ttl(LOCK_KEY) > 300, "it is renewed")
        return "computed"

    with app.app_context():
        assert ask(compute) == "computed"


def test_waiting_ends_and_holds_no_connection_to_the_database(app, as_role, monkeypatch):
    monkeypatch.setattr(caches, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(caches, "PREVIOUS_SECONDS", 0)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 60)  # by a thread of its own, during the reads
    editor = as_role("editor")
    assert editor.get("/cities?province=x").status_code == 200
    with app.app_context(), Redis.from_url(app.config["SETTINGS"].redis_url) as other:
        caches.SharedCache("gz:cities").invalidate()
        for name in ("facts", "province keys"):
            other.set(f"gz:lock:gz:cities:{name}", "another", px=60_000)
            with connections_held(app) as held:
                response = editor.get("/cities?province=x")
            assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
            assert len(held) > 4
            assert set(held) == {0}
            other.delete(f"gz:lock:gz:cities:{name}")


def test_who_made_a_change_is_known_in_the_next_request(app, as_role):
    """Also if Redis has forgotten the person in between."""
    editor, viewer = as_role("editor"), as_role("viewer")
    found = []
    app.teardown_request_funcs.setdefault(None, []).append(
        lambda _e: found.append(actor().last_write)
    )
    try:
        editor.submit("/cities/new", NEW)
        for browser in (editor, viewer):
            browser.get("/account")
    finally:
        app.teardown_request_funcs[None].pop()
    *_before, wrote, own, other = found
    assert wrote == own > 0
    assert other == 0


def test_what_another_value_is_computed_from_is_never_a_previous_one(app, monkeypatch):
    with app.app_context():
        ask(lambda: "old")
    wrote = change(app, WRITER)
    with computing(app), monkeypatch.context() as patched:
        patched.setattr(caches, "WAIT_SECONDS", 0.05)
        with pytest.raises(Unavailable):
            page_of(app, READER)
    assert page_of(app, replace(WRITER, last_write=wrote)) == "page with new"


def page_of(app, who):
    """A value that is computed from the other one."""
    with request_of(app, who):
        return CACHE.get_or_compute("page", str, lambda: f"page with {ask()}")
