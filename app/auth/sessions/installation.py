"""Sessions end when the database is not the one that they began on.

After a backup was restored, Redis still has the sessions of people who are not in the database any
more, or who have another role there. Each change of people is therefore numbered in the database,
and the latest one is written to Redis after its commit. A database that does not have the change
Redis knows as its latest or among its EARLIER changes before that was restored: all sessions that
began until now end. Redis accepts only changes that follow the one it knows, so changes after a
restore do not hide it. Web processes compare at their start, `flask prepare` after the migrations,
the clock every minute.
"""

import logging
import secrets
import time
from functools import partial
from typing import Any

from flask import current_app
from redis.exceptions import RedisError

from app.auth.sessions.keys import EPOCH_PREFIX
from app.auth.sessions.models import Installation
from app.database.engine import db
from app.database.service import after_commit
from app.logs.events import event
from app.redis.client import PERSON_PREFIX, redis_store
from app.redis.failures import ErrorKind, classify

# Neither has an expiry, so that a full Redis does not delete them.
KNOWN_KEY = "gz:installation"
SINCE_KEY = "gz:sessions:since"
COMPARED = "gazetteer-installation-compared"

# How many changes Redis may miss in a row, for example because it was down, before the database
# counts as restored. That many tokens have to fit into 64 KB.
EARLIER = 200

# Redis learns of a change if it knows one of those before it, or none; of two at once the later one
# counts. KEYS: what is known. ARGV: token, number and token of the change, then the earlier tokens.
NOTE = """
local known = ask("HMGET", KEYS[1], "token", "people_token")
local follows = not known[1]
for i = 4, #ARGV do
  if known[1] == ARGV[1] and known[2] == ARGV[i] then follows = true end
end
if follows then
  ask("HSET", KEYS[1], "token", ARGV[1], "people_no", ARGV[2], "people_token", ARGV[3])
end
"""

# Ends all sessions if Redis still knows what it knew before the database was read: otherwise it has
# learned of a change in between. KEYS: what is known, and since when sessions count.
# ARGV: what was known (token, number, token of the change), what the database has, the time.
REPLACE = """
local known = ask("HMGET", KEYS[1], "token", "people_no", "people_token")
for i = 1, 3 do if (known[i] or "") ~= ARGV[i] then return 0 end end
ask("HSET", KEYS[1], "token", ARGV[4], "people_no", ARGV[5], "people_token", ARGV[6])
if ARGV[7] ~= "" then ask("SET", KEYS[2], ARGV[7]) end
return 1
"""

FIELDS = ("token", "people_no", "people_token")


def note_change_of_people() -> None:
    """Number a change within the running service, and publish it after its commit."""
    row = db.session.get(Installation, 1, populate_existing=True, with_for_update=True)
    if row is None:  # somebody emptied the table
        row = new_installation()
        db.session.add(row)
    earlier = [row.people_token, *row.earlier_tokens.split()][:EARLIER]
    row.people_no += 1
    row.people_token = secrets.token_hex(16)
    row.earlier_tokens = " ".join(earlier)
    after_commit(partial(publish, row.token, row.people_no, row.people_token, earlier))


def new_installation() -> Installation:
    token, change = secrets.token_hex(16), secrets.token_hex(16)
    return Installation(id=1, token=token, people_no=0, people_token=change, earlier_tokens="")


def publish(token: str, number: int, change: str, earlier: list[str]) -> None:
    """Write a committed change to Redis."""
    redis_store.script(NOTE)(keys=[KNOWN_KEY], args=[token, number, change, *earlier])


def read() -> tuple[list[str], list[str]]:
    """What the database has, in the order of FIELDS, and the tokens of the changes before; nothing
    if somebody emptied the table."""
    row = db.session.get(Installation, 1, populate_existing=True)
    found = [row.token, str(row.people_no), row.people_token] if row else []
    earlier = row.earlier_tokens.split() if row else []
    db.session.rollback()  # no connection is held while Redis is asked
    return found, earlier


def compare() -> bool:
    """End all sessions if the database was restored; returns whether it was.

    Redis is read first: what it knows was committed before, so a database that is behind it then
    was restored.
    """
    stored: list[Any] = redis_store.client.hmget(KNOWN_KEY, FIELDS)
    known = [str(text or "") for text in stored]
    found, earlier = read()
    if not found or found == known:
        return False
    restored = is_restored(known, found, earlier)
    args: list[Any] = [*known, *found, time.time() if restored else ""]
    try:
        if not redis_store.script(REPLACE)(keys=[KNOWN_KEY, SINCE_KEY], args=args):
            return compare()
    except RedisError as error:
        if classify(error) is not ErrorKind.REFUSED:
            raise
    if restored:
        forget_epochs()
        event("sessions-ended", logging.WARNING, reason="the database was restored")
    return restored


def forget_epochs() -> None:
    """Delete the epochs in Redis, which are those of the database before it was restored."""
    for pattern in (f"{PERSON_PREFIX}*", f"{EPOCH_PREFIX}*"):
        for key in redis_store.client.scan_iter(pattern, count=1000):
            redis_store.client.delete(key)


def is_restored(known: list[str], found: list[str], earlier: list[str]) -> bool:
    """True if the database does not have the change that Redis knows. A Redis that knows none is
    new, or was written by the release before."""
    if not known[0]:
        return False
    return known[0] != found[0] or known[2] not in (found[2], *earlier)


def compare_once() -> bool:
    """Compare at the first session that this process reads."""
    if COMPARED in current_app.extensions:
        return False
    restored = compare()
    current_app.extensions[COMPARED] = True
    return restored
