"""Cached values are right after every change, and whoever wrote what is in Redis."""

import json
from dataclasses import dataclass

import pytest
from redis import Redis

from app.redis.cache import SharedCache
from app.redis.client import redis_store
from app.redis.lifetime import LIFE_SECONDS
from tests.cities.conftest import add_city

CACHE = SharedCache("gz:test")


@dataclass(frozen=True)
class Totals:
    count: int
    names: list[tuple[str, int]]


@dataclass(frozen=True)
class TotalsOfNextRelease:
    count: str
    names: list[tuple[str, int]]


class Source:
    """What would be read from the database."""

    def __init__(self, *values):
        self.values = list(values)

    def compute(self):
        return self.values.pop(0)


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("shape", "first", "second"),
    [
        (str, "a", "b"),
        (tuple[int, int], (1, 2), (3, 4)),
        (Totals, Totals(1, [("深圳市", 2)]), Totals(3, [])),
    ],
)
def test_a_value_is_cached_until_the_table_changes(shape, first, second):
    source = Source(first, second)
    for _ in range(3):
        assert CACHE.get_or_compute("key", shape, source.compute) == first
    CACHE.invalidate()
    for _ in range(2):
        assert CACHE.get_or_compute("key", shape, source.compute) == second


def test_a_value_expires():
    CACHE.get_or_compute("key", str, lambda: "text")
    assert 0 < redis_store.client.ttl("gz:test:key") <= LIFE_SECONDS


def test_a_value_expires_with_the_first_that_it_is_computed_from():
    def get(key, *needed):
        return CACHE.get_or_compute(key, str, lambda: key + "".join(map(get, needed)))

    def left(key):
        return redis_store.client.pttl(f"gz:test:{key}")

    get("old")
    redis_store.client.pexpire("gz:test:old", 5_000)
    CACHE.get_or_compute("outer", str, lambda: get("inner", "old") + get("new"))
    for key in ("outer", "inner"):
        assert 0 < left(key) <= 5_000
    get("other")
    for key in ("new", "other"):
        assert left(key) > 5_000


def test_a_computed_value_is_the_same_as_a_cached_one():
    values = [CACHE.get_or_compute("key", list[int], lambda: (1, 2)) for _ in range(2)]
    assert values == [[1, 2], [1, 2]]


def test_a_change_during_the_computation_is_not_hidden():
    def compute():
        CACHE.invalidate()
        return "before the change"

    CACHE.get_or_compute("key", str, compute)
    assert CACHE.get_or_compute("key", str, lambda: "after it") == "after it"


@pytest.mark.parametrize("damage", ["", "{}", "[", '{"count": "x", "names": []}', "\ufffd"])
def test_a_value_that_cannot_be_read_is_computed_again(damage):
    expected = Totals(1, [])
    CACHE.get_or_compute("key", Totals, lambda: expected)
    header = redis_store.client.get("gz:test:key").partition("\n")[0]
    redis_store.client.set("gz:test:key", f"{header}\n{damage}")
    assert CACHE.get_or_compute("key", Totals, lambda: expected) == expected
    assert CACHE.get_or_compute("key", Totals, Source().compute) == expected


def test_two_releases_do_not_read_values_of_each_other():
    old, new = Totals(1, []), TotalsOfNextRelease("1", [])
    for _ in range(2):
        assert CACHE.get_or_compute("key", Totals, lambda: old) == old
        assert CACHE.get_or_compute("key", TotalsOfNextRelease, lambda: new) == new


def test_a_value_written_by_the_first_release_is_not_used():
    CACHE.invalidate()
    version = redis_store.client.get("gz:test:mark")
    redis_store.client.set("gz:test:key", f"{version}\nold text")
    assert CACHE.get_or_compute("key", str, lambda: "new") == "new"


def test_without_redis_values_are_computed(make_app):
    with make_app(REDIS_URL="redis://127.0.0.1:1").app_context():
        source = Source("a", "b")
        values = [CACHE.get_or_compute("key", str, source.compute) for _ in range(2)]
        assert values == ["a", "b"]
        CACHE.invalidate()


def change_shape(client, pattern):
    """Add a value to the JSON under such keys, as the next release might."""
    keys = client.keys(pattern)
    assert keys
    for key in keys:
        header, line, text = client.get(key).rpartition("\n")
        value = json.loads(text)
        value = [*value, 1] if isinstance(value, list) else {**value, "of_the_next_release": 1}
        client.set(key, f"{header}{line}{json.dumps(value)}")


@pytest.mark.parametrize(
    ("page", "pattern", "address"),
    [
        ("/cities", "gz:cities:*facts*", "/cities?sort=users"),
        ("/cities", "gz:cities:*facts*", "/cities/new"),
        ("/cities/glance", "gz:cities:*glance*", "/cities/glance"),
        ("/files", "gz:files:*totals*", "/files"),
    ],
)
def test_pages_survive_a_cached_value_of_another_shape(as_role, redis_url, page, pattern, address):
    editor = as_role("editor")
    add_city()
    editor.get(page)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        change_shape(client, pattern)
    assert editor.get(address).status_code == 200
