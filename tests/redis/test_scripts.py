"""Scripts that run in one trip."""

import pytest
from redis.exceptions import ResponseError

from app.redis.client import redis_store
from app.redis.scripts import Call, run_together
from tests.factories import connections_held

ECHO = 'return {KEYS[1] or "none", ARGV[1] or "none", #KEYS, #ARGV}'


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


def test_each_has_its_own_keys_and_arguments(app):
    calls = [
        Call(ECHO, ["a", "b"], ["x"]),
        Call("return", [], ["alone"]),
        Call(ECHO, [], []),
        Call('return ask("INCRBY", KEYS[1], ARGV[2]) -- a comment', ["gz:c"], ["", 5]),
    ]
    expected = [["a", "x", 2, 1], None, ["none", "none", 0, 0], 5]
    assert run_together(*calls[:3]) == expected[:3]
    with connections_held(app) as trips:
        assert run_together(*calls) == expected
    assert len(trips) in (1, 3)  # 3 if Redis did not know the script
    assert run_together() == []
    assert run_together(calls[0]) == expected[:1] == [calls[0].run()]


def test_what_fails_leaves_what_ran_before(app):
    add = Call('ask("SET", KEYS[1], "1")', ["gz:before"], [])
    with pytest.raises(ResponseError, match="no such"):
        run_together(add, Call('error("no such thing")', [], []), Call(add.text, ["gz:after"], []))
    assert redis_store.client.mget("gz:before", "gz:after") == ["1", None]


def test_a_value_of_another_type_counts_as_absent_in_each(app):
    redis_store.client.rpush("gz:test:a", "x")
    redis_store.client.rpush("gz:test:b", "x")
    get = 'return ask("GET", KEYS[1]) or "absent"'
    assert run_together(*(Call(get, [f"gz:test:{key}"], []) for key in "ab")) == ["absent"] * 2
