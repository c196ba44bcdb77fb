"""The one question to Redis before a view: the session, and the epoch and preferences of its
person."""

import time

from redis.exceptions import RedisError

from app.auth.sessions.installation import SINCE_KEY
from app.auth.sessions.keys import EPOCH_PREFIX, all_keys, session_key
from app.current import settings
from app.redis.client import PERSON_PREFIX, redis_store
from app.text import read_count

SEEN_SECONDS = 60  # how long after it was last extended a session is extended again

# Returns the session's text and the person's epoch, preferences, last change and number of active
# jobs, each only where it is known.
# The request counts, and the session is extended, only if the session is of that epoch and began
# late enough. The keys of the person cannot be among KEYS, because the session names the person. A
# Redis that refuses writes, because it is full or a replica, still knows who this is.
# A session that began before a backup was restored does not exist any more.
# KEYS: all_keys() of the session, and since when sessions count.
# ARGV: the idle time, SEEN_SECONDS, the earliest beginning; the beginnings of the keys of people.
READ = """
local text = ask("GET", KEYS[1])
if not text then return {} end
local readable, session = pcall(cjson.decode, text)
if not readable or type(session) ~= "table" or type(session.person) ~= "number" then
  return {text}
end
local since = type(session.since) == "number" and session.since or 0
if since < (tonumber(ask("GET", KEYS[5]) or "") or 0) then return {} end
local id = string.format("%.0f", session.person)
local now = tonumber(redis.call("TIME")[1])
local known = ask("HMGET", ARGV[4] .. id, "epoch", "epoch_until", "preferences", "wrote", "jobs",
  "jobs_until")
local epoch = tonumber(known[1] or "")
if not epoch or now >= (tonumber(known[2] or "") or 0) then return {text} end
-- Written by workers of the release before; 0 is a disabled person, otherwise the higher is newer.
local before = tonumber(ask("GET", ARGV[5] .. id) or "")
if before then epoch = (before == 0 or epoch == 0) and 0 or math.max(epoch, before) end
-- Redis missed the change after which this session began: the database is asked.
if epoch ~= 0 and (tonumber(session.epoch) or 0) > epoch then return {text} end
if session.epoch == epoch and since >= tonumber(ARGV[3]) then
  try("INCR", KEYS[2])
  if try("SET", KEYS[3], now, "NX", "EX", ARGV[2]) then
    local own = ARGV[4] .. id .. ":sessions"
    try("ZADD", own, now, KEYS[1])
    for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4], own}) do try("EXPIRE", key, ARGV[1]) end
  end
end
local jobs = now < (tonumber(known[6] or "") or 0) and known[5]
return {text, epoch, known[3], known[4], jobs}
"""


def idle_seconds() -> int:
    """How long an unused session lives."""
    return settings().session_idle_hours * 3600


def earliest_start() -> float:
    """When the oldest session that is still valid began."""
    return time.time() - settings().session_absolute_days * 86400


def look_up(sid: str) -> tuple[str | None, int | None, str | None, int, int]:
    """The text of a session, and the epoch, the preferences, the last change and the number of
    active jobs of its person; counts the request."""
    found = redis_store.script(READ)(
        keys=[*all_keys(session_key(sid)), SINCE_KEY],
        args=[idle_seconds(), SEEN_SECONDS, earliest_start(), PERSON_PREFIX, EPOCH_PREFIX],
    )
    text, epoch, preferences, last_write, jobs = [*found, None, None, None, None, None][:5]
    return text, epoch, preferences, read_count(last_write), read_count(jobs)


def has_ended(sid: str) -> bool:
    """True if a session ended since the request began, for requests that take long."""
    try:
        return not redis_store.client.exists(session_key(sid))
    except RedisError:
        return False
