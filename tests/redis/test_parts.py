"""A change makes those values stale that depend on the parts of the table that it affects."""

import os
import subprocess
import sys
from functools import partial
from itertools import count

import pytest

from app.config import ROOT
from app.redis.cache import SharedCache
from app.redis.changes import FIELDS_MOST, part_digest
from app.redis.client import redis_store
from tests.factories import without_redis

CACHE = SharedCache("gz:test")
CHANGES = "gz:test:changes"
# Its words: the parts that another process changes.
PROGRAM = """
import sys
from app import create_app
from app.config import Settings
from app.redis.cache import SharedCache

with create_app(Settings.load()).app_context():
    SharedCache("gz:test").invalidate(*sys.argv[1:])
"""
VALUES = {"of a": ["a"], "of b": ["b"], "of a and b": ["a", "b"], "of all": []}


@pytest.fixture(autouse=True)
def context(make_app):
    with make_app(REDIS_TIMEOUT_MS="10000").app_context() as context:
        yield context


@pytest.fixture
def computed():
    """A function that looks for all values, and returns those that had to be computed."""

    def look():
        found = []

        def compute(name):
            found.append(name)
            return name

        for name, parts in VALUES.items():
            CACHE.get_or_compute(name, str, partial(compute, name), parts=parts)
        return found

    look()
    assert look() == []
    return look


STALE = [
    (["a"], ["of a", "of a and b", "of all"]),
    (["a", "b"], [*VALUES]),
    (["c"], ["of all"]),
    ([], [*VALUES]),
]


@pytest.mark.parametrize(("parts", "stale"), STALE)
def test_a_change_makes_the_values_of_its_parts_stale(computed, parts, stale):
    CACHE.invalidate(*parts)
    assert computed() == stale
    assert computed() == []


@pytest.mark.deploy
@pytest.mark.parametrize(("parts", "stale"), STALE)
def test_a_change_by_another_process(computed, site_environment, parts, stale):
    env = {**os.environ, "ENV_FILE": os.devnull, **site_environment}
    subprocess.run([sys.executable, "-c", PROGRAM, *parts], cwd=ROOT, env=env, check=True)
    assert computed() == stale


@pytest.mark.parametrize(("parts", "stale"), STALE)
def test_a_change_that_redis_missed_keeps_its_parts(context, computed, parts, stale):
    with without_redis(context.app):
        CACHE.invalidate(*parts)
    assert computed() == stale


def test_changes_that_redis_missed_keep_all_their_parts(context, computed):
    with without_redis(context.app):
        CACHE.invalidate("c")
        CACHE.invalidate("b")
    assert computed() == ["of b", "of a and b", "of all"]


def test_so_many_changes_that_redis_missed_are_one_of_the_whole_table(context, computed):
    with without_redis(context.app):
        CACHE.invalidate(*map(str, range(FIELDS_MOST)))
        CACHE.invalidate("c")
    assert computed() == [*VALUES]
    assert redis_store.client.hlen(CHANGES) < 10


@pytest.mark.parametrize(
    "lose",
    [
        lambda store: store.delete(CHANGES),
        lambda store: store.set("gz:test:mark", "c0ffee00c0ffee00"),
        lambda store: store.hset(CHANGES, "whole", "damaged"),
    ],
    ids=["changes", "changed by the release before", "damaged"],
)
def test_without_all_changes_no_part_is_known(computed, lose):
    lose(redis_store.client)
    assert {*computed()} >= {"of a", "of b", "of a and b"}
    assert computed() == []


def test_a_damaged_part_counts_as_changed(computed):
    redis_store.client.hset(CHANGES, part_digest("b"), "2 damaged")
    assert computed() == ["of b", "of a and b"]
    CACHE.invalidate("b")
    assert computed() == ["of b", "of a and b", "of all"]


def test_beyond_so_many_parts_a_change_is_one_of_the_whole_table(computed):
    numbers = count()
    while redis_store.client.hlen(CHANGES) < FIELDS_MOST:
        CACHE.invalidate(f"another {next(numbers)}")
    assert computed() == ["of all"]
    CACHE.invalidate("a")
    assert redis_store.client.hlen(CHANGES) < 10
    assert computed() == [*VALUES]
    CACHE.invalidate("a")
    assert computed() == ["of a", "of a and b", "of all"]


def test_after_that_many_parts_it_is_not_known_since_when_a_value_is_stale():
    """So it counts as stale from its start, and nobody sees one that was for more than a second."""
    CACHE.invalidate("a")
    redis_store.client.hset(CHANGES, mapping={f"{n:016}": "1 0" for n in range(FIELDS_MOST)})
    CACHE.invalidate("b")
    last, before = redis_store.client.hget(CHANGES, "whole").split()
    assert last == before


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_value_depends_on_all_that_it_is_computed_from(context, is_cached, away):
    """Also if Redis was away while that was computed, or if that was cached before."""

    def inner():
        return CACHE.get_or_compute("inner", str, lambda: "inner", parts=["b"])

    def outer():
        found.append("computed")
        if away:
            with without_redis(context.app):
                return inner()
        return inner()

    def look():
        found.clear()
        CACHE.get_or_compute("outer", str, outer, parts=["a"])
        return bool(found)

    found = []
    if is_cached:
        inner()
    assert look()
    CACHE.invalidate("c")
    assert not look()
    for part in "ab":
        CACHE.invalidate(part)
        assert look()


def test_a_value_does_not_depend_on_changes_of_another_table():
    other = SharedCache("gz:test-other")

    def look():
        found = []

        def outer():
            found.append("computed")
            return other.get_or_compute("inner", str, lambda: "inner")

        CACHE.get_or_compute("outer", str, outer, parts=["a"])
        return found

    assert look()
    other.invalidate()
    CACHE.invalidate("b")
    assert not look()


def test_what_was_computed_before_is_no_part_of_the_next_value():
    CACHE.get_or_compute("all", str, lambda: "of all")
    CACHE.get_or_compute("a", str, lambda: "of a", parts=["a"])
    kinds = redis_store.client.get("gz:test:a").partition("\n")[0].split(" ")[2]
    assert {*kinds.split(",")} == {"whole", part_digest("a")}
