"""When a table and its parts changed last, as Redis knows it.

A part is, for example, the cities of one province. A change names the parts that it affects, and a
cached value those that it depends on. Without a name it is the whole table.
"""

import hashlib
from collections.abc import Collection

from app.redis.client import PERSON_PREFIX, PERSON_SECONDS
from app.redis.scripts import Call

FIELDS_MOST = 1_000  # of the hash of changes
PART_LENGTH = 16  # of the digest of a part

# The first KEYS of LOOK and CHANGE: the hash of changes and the version. The hash has the last
# timestamp that was given (`clock`), the one since which it has all changes (`complete`), and for
# each kind of change those of the last one and of the one before it. The kinds are all changes
# (ANY), those of the whole table (WHOLE), and those of a part, by its digest. The version is a word
# that the release before this one replaces with each of its changes; its workers run beside ours
# during a reload. If it is not the one of the hash, or if that is lost, older values count as
# absent.
ANY, WHOLE = "any", "whole"
TIMESTAMPS = """
local function word(timestamp) return string.format("%.0f", timestamp) end
local function peek()
  local time = redis.call("TIME")
  local last = tonumber(ask("HGET", KEYS[1], "clock") or "") or 0
  return math.max(time[1] * 1000000 + time[2], last + 1)
end
local function next_timestamp()
  local now = peek()
  ask("HSET", KEYS[1], "clock", word(now))
  return now
end
local function complete()
  local known, version = ask("HMGET", KEYS[1], "version", "complete"), ask("GET", KEYS[2])
  local since = tonumber(known[2] or "")
  if version and known[1] == version and since then return since end
  local now = next_timestamp()
  if not version then
    version = "v" .. word(now)
    ask("SET", KEYS[2], version)
  end
  ask("HSET", KEYS[1], "version", version, "complete", word(now))
  return now
end
local function note(kind, last, before)
  ask("HSET", KEYS[1], kind, word(last) .. " " .. word(before))
end
local function last_two(kind)
  local text = ask("HGET", KEYS[1], kind) or "0 0"
  local last, before = string.match(text, "^(%d+) (%d+)$")
  if last then return tonumber(last), tonumber(before) end
  local now = next_timestamp()
  note(kind, now, now)
  return now, now
end
"""

# Returns its timestamp. Beyond FIELDS_MOST those of parts are dropped, and it counts as two of the
# whole table: since when a value of a part has been stale is then not known. KEYS: also the hash of
# the person, if one made the change. ARGV: its life, the kinds of change that this is.
CHANGE = f"""{TIMESTAMPS}
complete()
local now = next_timestamp()
for index = 2, #ARGV do note(ARGV[index], now, (last_two(ARGV[index]))) end
if ask("HLEN", KEYS[1]) > {FIELDS_MOST} then
  for _, field in ipairs(ask("HKEYS", KEYS[1])) do
    if #field == {PART_LENGTH} then ask("HDEL", KEYS[1], field) end
  end
  note("{WHOLE}", now, now)
end
now = word(now)
ask("HSET", KEYS[1], "version", "v" .. now)
ask("SET", KEYS[2], "v" .. now)
if KEYS[3] then
  ask("HSET", KEYS[3], "wrote", now)
  ask("EXPIRE", KEYS[3], ARGV[1])
end
return tonumber(now)
"""


def keys_of(prefix: str) -> list[str]:
    """The hash of changes and the version of a table, whose keys begin with the prefix."""
    return [f"{prefix}:changes", f"{prefix}:mark"]


def call_of(prefix: str, person: int | None, kinds: Collection[str]) -> Call:
    """The script that tells Redis of a change of these kinds by this person."""
    keys = [*keys_of(prefix), *([] if person is None else [f"{PERSON_PREFIX}{person}"])]
    return Call(CHANGE, keys, [PERSON_SECONDS, *kinds])


def kinds_of_change(parts: Collection[str]) -> set[str]:
    """The fields of the hash that a change of these parts writes."""
    return {ANY, *(map(part_digest, parts) if parts else [WHOLE])}


def add_kinds(kinds: set[str], more: Collection[str]) -> None:
    """Add the kinds of a change to those of earlier ones."""
    kinds.update(more)
    if len(kinds) > FIELDS_MOST:
        kinds &= {ANY}
        kinds.add(WHOLE)


def kinds_of_value(parts: Collection[str]) -> set[str]:
    """The fields of the hash that make a value of these parts stale."""
    return {WHOLE, *map(part_digest, parts)} if parts else {ANY}


def part_digest(part: str) -> str:
    return hashlib.sha256(part.encode()).hexdigest()[:PART_LENGTH]
