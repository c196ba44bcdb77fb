"""A person's own values in their session: the rules, on the hash in Redis that holds them.

An exception among services: they take the key of the session instead of an actor, and record
nothing. The values are part of the session: only who has its cookie has its key, nobody else sees
them, and they end with it.
"""

from typing import Any

from app.auth.sessions.keys import values_key
from app.errors import Invalid, NotFound, Unauthorized
from app.redis.client import redis_store
from app.text import N_, compose, has_invisible

KEY_LENGTH = 64
VALUE_LENGTH = 1000
MAX_VALUES = 50
KEY_LENGTH_MESSAGE = N_("A key has 1 to %(n)s characters.", n=KEY_LENGTH)
NO_VALUE = N_("There is no value under this key.")
VALUE_LENGTH_MESSAGE = N_("A value has at most %(n)s characters.", n=VALUE_LENGTH)

# In one step, so that two requests at once cannot exceed the limit, and no value outlives its
# session. KEYS: the session and its values. ARGV: key, value, the largest number of values.
SET = """
local life = ask("PTTL", KEYS[1])
if life <= 0 then return "ended" end
local known = ask("HEXISTS", KEYS[2], ARGV[1]) == 1
if not known and ask("HLEN", KEYS[2]) >= tonumber(ARGV[3]) then return "full" end
ask("HSET", KEYS[2], ARGV[1], ARGV[2])
ask("PEXPIRE", KEYS[2], life)
return "stored"
"""

CLEAR = """
local count = ask("HLEN", KEYS[1])
ask("DEL", KEYS[1])
return count
"""


def clean_key(key: str | None) -> str:
    """A key as it is stored: composed as NFC and trimmed."""
    return compose(key or "", KEY_LENGTH)


def check_key(key: str | None) -> str:
    """The key as it is stored, or `Invalid`."""
    key = clean_key(key)
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(fields={"key": KEY_LENGTH_MESSAGE})
    if has_invisible(key):
        raise Invalid(fields={"key": N_("A key must not contain control characters.")})
    return key


def list_values(store_id: str) -> dict[str, str]:
    """All values of a session, sorted by key."""
    values: Any = redis_store.client.hgetall(values_key(store_id))
    return dict(sorted(values.items()))


def set_value(store_id: str, key: str | None, value: str | None) -> str:
    """Store a value, which replaces an earlier one; returns the key as it is stored."""
    key, value = check_key(key), value or ""
    if len(value) > VALUE_LENGTH:
        raise Invalid(fields={"value": VALUE_LENGTH_MESSAGE})
    keys = store_id, values_key(store_id)
    outcome = redis_store.script(SET)(keys=keys, args=(key, value, MAX_VALUES))
    if outcome == "ended":
        raise Unauthorized(N_("Please sign in again, then repeat what you did."))
    if outcome == "full":
        text = N_("A session holds at most %(n)s values. Remove one first.", n=MAX_VALUES)
        raise Invalid(fields={"key": text})
    return key


def get_value(store_id: str, key: str | None) -> str:
    """One value, or `NotFound`."""
    value = redis_store.client.hget(values_key(store_id), check_key(key))
    if value is None:
        raise NotFound(NO_VALUE)
    return str(value)


def pop_value(store_id: str, key: str | None) -> str:
    """Remove one value and return its key, or `NotFound`."""
    key = check_key(key)
    if not redis_store.client.hdel(values_key(store_id), key):
        raise NotFound(NO_VALUE)
    return key


def clear_values(store_id: str) -> int:
    """Remove all values and nothing else; returns how many there were."""
    return int(redis_store.script(CLEAR)(keys=[values_key(store_id)]))
