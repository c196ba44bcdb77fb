"""The epoch of a person, as all processes see it: a change of password, role or state raises it,
and sessions that were made under an earlier one end.

Redis has it in the hash `gz:person:<id>`, from which every request reads it together with its
session. The field `epoch` is valid until `epoch_until`: should Redis miss a change, the database is
asked again when a session of a later epoch is used, and a minute later at the latest. It then
writes the person's preferences too, in the field `preferences`, which has no time of its own.
"""

from functools import partial

from redis.exceptions import RedisError

from app.actor import NO_PREFERENCES, Preferences
from app.auth.models import Person, epoch_now
from app.auth.sessions.content import write_preferences
from app.auth.sessions.installation import note_change_of_people
from app.auth.sessions.keys import EPOCH_PREFIX
from app.database.engine import db
from app.database.service import after_commit
from app.redis.client import PERSON_PREFIX, PERSON_SECONDS, redis_store
from app.redis.failures import ErrorKind, classify

EPOCH_SECONDS = 60
DISABLED = 0  # the epoch of the disabled, which no session has

# KEYS: gz:person:<id>, gz:epoch:<id>. ARGV: the epoch, for how long it is valid, the life of the
# hash, 1 if the epoch replaces one that is still valid (a later one does so too, unless the person
# was disabled), and the preferences if they are known.
WRITE = """
if ARGV[5] ~= "" then
  ask("HSET", KEYS[1], "preferences", ARGV[5])
  ask("EXPIRE", KEYS[1], ARGV[3])
end
local now = tonumber(redis.call("TIME")[1])
local known = ask("HMGET", KEYS[1], "epoch", "epoch_until")
local epoch, replace = tonumber(known[1] or "") or 0, ARGV[4] == "1"
local newer = epoch ~= 0 and tonumber(ARGV[1]) > epoch
if not replace and not newer and now < (tonumber(known[2] or "") or 0) then return end
ask("HSET", KEYS[1], "epoch", ARGV[1], "epoch_until", now + ARGV[2])
ask("EXPIRE", KEYS[1], ARGV[3])
if replace or ask("EXISTS", KEYS[2]) == 0 then
  ask("SET", KEYS[2], ARGV[1], "EX", ARGV[2])
end
"""

# Without an epoch the next request asks the database for both. KEYS: gz:person:<id>.
WRITE_PREFERENCES = """
if ask("EXISTS", KEYS[1]) == 1 then ask("HSET", KEYS[1], "preferences", ARGV[1]) end
"""


def person_key(person_id: int) -> str:
    """The hash of what Redis knows about a person."""
    return f"{PERSON_PREFIX}{person_id}"


def epoch_key(person_id: int) -> str:
    """Where the release before this one reads and writes the epoch: its workers run beside ours
    during an upgrade. The release after this one needs it no longer."""
    return f"{EPOCH_PREFIX}{person_id}"


def raise_epoch(person: Person) -> int:
    """End all sessions of a person once the running service has committed."""
    person.session_epoch = max(person.session_epoch + 1, epoch_now())
    note_change_of_people()
    epoch = person.session_epoch if person.active else DISABLED
    after_commit(partial(write_epoch, person.id, epoch, replace=True))
    return person.session_epoch


def publish_person(person_id: int) -> tuple[int, str]:
    """Read the epoch and the preferences from the database into Redis, where an epoch that was
    written in the meantime is newer and remains. While Redis refuses writes, every request asks the
    database."""
    person = db.session.get(Person, person_id, populate_existing=True)
    epoch = person.session_epoch if person and person.active else DISABLED
    preferences = write_preferences(person.preferences if person else NO_PREFERENCES)
    db.session.rollback()  # no connection is held while Redis is asked
    try:
        write_epoch(person_id, epoch, replace=False, preferences=preferences)
    except RedisError as error:
        if classify(error) is not ErrorKind.REFUSED:
            raise
    return epoch, preferences


def write_epoch(person_id: int, epoch: int, replace: bool, preferences: str = "") -> None:
    """Write an epoch to Redis, for all workers; `replace` one that is still valid, or not."""
    redis_store.script(WRITE)(
        keys=[person_key(person_id), epoch_key(person_id)],
        args=[epoch, EPOCH_SECONDS, PERSON_SECONDS, int(replace), preferences],
    )


def publish_preferences(person_id: int, preferences: Preferences) -> None:
    """Write changed preferences to Redis, if it knows the person: their other browsers follow."""
    redis_store.script(WRITE_PREFERENCES)(
        keys=[person_key(person_id)], args=[write_preferences(preferences)]
    )
