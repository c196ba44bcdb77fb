"""A person's own values in their session: the rules, on the hash in Redis that holds them."""

from typing import Any

from flask_babel import gettext as _

from app.auth.sessions import values_key
from app.errors import Invalid, NotFound, Unauthorized
from app.redis.client import redis_store
from app.text import INVISIBLE, compose, has_category

KEY_LENGTH = 64
VALUE_LENGTH = 1000
KEYS = 50

# In one step, so that two puts at once do not pass the limit and none outlives its session.
PUT = """
local life = redis.call("PTTL", KEYS[1])
if life <= 0 then return "ended" end
local known = redis.call("HEXISTS", KEYS[2], ARGV[1]) == 1
if not known and redis.call("HLEN", KEYS[2]) >= tonumber(ARGV[3]) then return "full" end
redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
redis.call("PEXPIRE", KEYS[2], life)
return "kept"
"""


def check_key(key: str) -> str:
    """A key as it is kept: NFC, trimmed, 1 to 64 characters, none of them a control."""
    key = compose(key, KEY_LENGTH)
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(fields={"key": _("A key has 1 to %(n)d characters.", n=KEY_LENGTH)})
    if has_category(key, INVISIBLE):
        raise Invalid(fields={"key": _("A key has no control characters.")})
    return key


def list_values(store_id: str) -> dict[str, str]:
    """All values of a session by key, in the order of the keys."""
    kept: Any = redis_store.client.hgetall(values_key(store_id))
    return dict(sorted(kept.items()))


def put_value(store_id: str, key: str, value: str) -> str:
    """Keep a value, in the place of an earlier one; returns the key as it is kept."""
    key = check_key(key)
    if len(value) > VALUE_LENGTH:
        text = _("A value has at most %(n)d characters.", n=VALUE_LENGTH)
        raise Invalid(fields={"value": text})
    keys = store_id, values_key(store_id)
    outcome = redis_store.client.eval(PUT, len(keys), *keys, key, value, KEYS)
    if outcome == "ended":
        raise Unauthorized(_("Please sign in again, then repeat what you did."))
    if outcome == "full":
        text = _("A session holds %(n)d values. Remove one first.", n=KEYS)
        raise Invalid(fields={"key": text})
    return key


def get_value(store_id: str, key: str) -> str:
    """One value; `NotFound` when there is none."""
    value = redis_store.client.hget(values_key(store_id), check_key(key))
    if value is None:
        raise NotFound(_("There is no value under this key."))
    return str(value)


def pop_value(store_id: str, key: str) -> None:
    """Remove one value; `NotFound` when there is none."""
    if not redis_store.client.hdel(values_key(store_id), check_key(key)):
        raise NotFound(_("There is no value under this key."))


def clear_values(store_id: str) -> int:
    """Remove all values and nothing else; returns how many there were."""
    with redis_store.client.pipeline() as pipe:
        pipe.hlen(values_key(store_id))
        pipe.delete(values_key(store_id))
        return int(pipe.execute()[0])
