"""Uploads of several requests that are going on, by their batch: since when, by whom, where to, and
how much is there. Redis has a note of each, which every request of the batch renews. It counts
until the sender says that the upload has ended, or has sent nothing for LIFE_SECONDS. Nothing
depends on it: without Redis no upload is going on."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from app.actor import Actor
from app.database.idempotency import hash_key
from app.files.names import printable
from app.history.models import BATCH_ID_LENGTH
from app.redis.client import redis_store
from app.redis.scripts import Call

LIFE_SECONDS = 30  # after the last note
# Figures stay for so long after that, for an upload that was paused or is continued by Retry.
HOLD_SECONDS = 3600
KEY = "gz:uploading"  # a hash of all batches
MOST_BATCHES = 500  # in it; each page with recent changes reads all
LATEST = 250_000_000_000  # a Unix time that is a date in every time zone

# A value has: the second of the last note, 1 or 0 once it has ended, the second of the first note,
# files and bytes that are stored, files and bytes of the whole, the sender and the folder. The time
# is that of Redis, so that the clocks of hosts may differ. Each request says how much the whole is
# as far as that was known when it was sent, and notes that until its end; so the largest counts,
# and the first folder that is known.
# The first note of a batch removes what is old, and those that were noted the longest time ago
# where there are too many.
# KEYS: the hash. ARGV: the id, how many files and bytes to add, files and bytes of the whole, the
# sender, the folder, HOLD_SECONDS, MOST_BATCHES.
NOTE = """
local pattern = "^(%d+) [01] (%d+) (%d+) (%d+) (%d+) (%d+) %d+ (.*)$"
local function parse(value) return string.match(value or "", pattern) end
local second = redis.call("TIME")[1]
local last, began, files, bytes, of_files, of_bytes, folder = parse(ask("HGET", KEYS[1], ARGV[1]))
if not last then
  local notes, oldest, all = {}, second - ARGV[8], ask("HGETALL", KEYS[1])
  for place = 1, #all, 2 do
    table.insert(notes, {all[place], tonumber(parse(all[place + 1]) or "0")})
  end
  table.sort(notes, function(one, other) return one[2] > other[2] end)
  for place, note in ipairs(notes) do
    if place >= tonumber(ARGV[9]) or note[2] < oldest then ask("HDEL", KEYS[1], note[1]) end
  end
end
local counts = string.format("%.0f %.0f %.0f %.0f", (files or 0) + ARGV[2], (bytes or 0) + ARGV[3],
  math.max(of_files or 0, ARGV[4]), math.max(of_bytes or 0, ARGV[5]))
local into = (folder or "") ~= "" and folder or ARGV[7]
local value = {second, 1, began or second, counts, ARGV[6], into}
ask("HSET", KEYS[1], ARGV[1], table.concat(value, " "))
ask("EXPIRE", KEYS[1], ARGV[8])
"""
END = """
local value = ask("HGET", KEYS[1], ARGV[1])
if value then ask("HSET", KEYS[1], ARGV[1], (string.gsub(value, "^(%d+) 1 ", "%1 0 "))) end
"""
# Returns the ids and values of the batches that are going on. ARGV: LIFE_SECONDS.
READ_BATCHES = """
local found, earliest, all = {}, redis.call("TIME")[1] - ARGV[1], ask("HGETALL", KEYS[1])
for place = 1, #all, 2 do
  local second = string.match(all[place + 1], "^(%d+) 1 ")
  if second and tonumber(second) > earliest then
    table.insert(found, all[place])
    table.insert(found, all[place + 1])
  end
end
return found
"""
COUNT = r"(\d{1,19})"
VALUE = re.compile(rf"\d+ 1 {' '.join([COUNT] * 6)} (.*)", re.DOTALL)


class UploadBatch(msgspec.Struct, frozen=True):
    """The upload to which a form belongs: the id of its batch in the history, its sender, the
    folder that it goes to, and of how many files and bytes it is, 0 where that is unknown."""

    id: str
    person_id: int
    folder: str = ""
    files: int = 0
    size: int = 0

    def noted(self, files: int = 0, size: int = 0) -> Call:
        """The script that notes that the upload is going on, and that so many more files and bytes
        are stored."""
        more, whole = (files, size), (self.files, self.size)
        about = (self.person_id, self.folder)
        return Call(NOTE, [KEY], [self.id, *more, *whole, *about, HOLD_SECONDS, MOST_BATCHES])

    def end(self) -> None:
        """Note that the upload has ended."""
        with suppress(RedisError):
            redis_store.script(END)(keys=[KEY], args=[self.id])


def batch_of(
    actor: Actor, key: str, folder: str = "", files: int = 0, size: int = 0
) -> UploadBatch:
    """The batch of all forms that this person sends with this key; of so many files and bytes."""
    batch_id = hash_key(actor.id, key, ["upload"])[:BATCH_ID_LENGTH]
    return UploadBatch(batch_id, actor.person_id, printable(folder), files, size)


class RunningBatch(msgspec.Struct, frozen=True):
    """A batch that is going on: how many files and bytes are there; `began` is a Unix time."""

    batch: UploadBatch
    files: int
    received: int
    began: int

    @property
    def name(self) -> str:
        return self.batch.folder

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.began, UTC)


def decode_batches(values: Sequence[str]) -> list[RunningBatch]:
    """What READ_BATCHES returned. What another release has written in another form is left out."""
    found = list[RunningBatch]()
    for batch_id, value in zip(values[::2], values[1::2], strict=True):
        if parts := VALUE.fullmatch(value):
            began, files, received, of_files, of_bytes, person_id = map(int, parts.groups()[:6])
            batch = UploadBatch(batch_id, person_id, parts[7], of_files, of_bytes)
            if began <= LATEST:
                found.append(RunningBatch(batch, files, received, began))
    return found


def find_running(batch_ids: Collection[str]) -> Collection[str]:
    """Those of some batches that are going on; none without Redis."""
    values: Any = ()
    with suppress(RedisError):
        values = redis_store.script(READ_BATCHES)(keys=[KEY], args=[LIFE_SECONDS])
    return {each.batch.id for each in decode_batches(values)}.intersection(batch_ids)
