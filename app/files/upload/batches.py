"""Uploads of several requests that are going on, by their batch: since when, by whom, where to, and
how much is there. Redis has a note of each, which every request of the batch renews. It counts
until the sender says that the upload has ended, or has sent nothing for LIFE_SECONDS. Nothing
depends on it: without Redis no upload is going on."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

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

# A value has: the second of the last note, 1 or 0 once it has ended, the second of the first note,
# files and bytes that are stored, and the batch as JSON. The time is that of Redis, so that the
# clocks of hosts may differ.
# KEYS: the hash. ARGV: the id, how many files and bytes to add, the JSON, HOLD_SECONDS.
NOTE = """
local function parse(value) return string.match(value or "", "^(%d+) [01] (%d+) (%d+) (%d+) ") end
local second = redis.call("TIME")[1]
local last, began, files, bytes = parse(ask("HGET", KEYS[1], ARGV[1]))
if not last then
  local oldest, all = second - ARGV[5], ask("HGETALL", KEYS[1])
  for place = 1, #all, 2 do
    if tonumber(parse(all[place + 1]) or "0") < oldest then ask("HDEL", KEYS[1], all[place]) end
  end
end
local more = string.format("%.0f %.0f", (files or 0) + ARGV[2], (bytes or 0) + ARGV[3])
local value = {second, 1, began or second, more, ARGV[4]}
ask("HSET", KEYS[1], ARGV[1], table.concat(value, " "))
ask("EXPIRE", KEYS[1], ARGV[5])
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
VALUE = re.compile(r"\d+ 1 (\d+) (\d+) (\d+) (.*)", re.DOTALL)

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class UploadBatch(msgspec.Struct, frozen=True):
    """The upload to which a form belongs: the id of its batch in the history, its sender, the
    folder that it goes to, and of how many files and bytes it is, 0 where that is unknown."""

    id: str
    person_id: int
    folder: str = ""
    files: Count = 0
    size: Count = 0

    def noted(self, files: int = 0, size: int = 0) -> Call:
        """The script that notes that the upload is going on, and that so many more files and bytes
        are stored."""
        text = msgspec.json.encode(self).decode()
        return Call(NOTE, [KEY], [self.id, files, size, text, HOLD_SECONDS])

    def note(self) -> None:
        """Note that the upload is going on."""
        self.noted().run()

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
    files: Count
    received: Count
    began: Count

    @property
    def name(self) -> str:
        return self.batch.folder

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.began, UTC)


def decode_batches(values: Sequence[str]) -> list[RunningBatch]:
    """What READ_BATCHES returned. What another release has written in another form is left out."""
    found = list[RunningBatch]()
    for value in values[1::2]:
        parts = VALUE.fullmatch(value)
        with suppress(msgspec.DecodeError, OverflowError):
            if parts:
                began, files, received = map(int, parts.groups()[:3])
                batch = msgspec.json.decode(parts[4], type=UploadBatch)
                found.append(RunningBatch(batch, files, received, began))
    return found


def find_running(batch_ids: Collection[str]) -> Collection[str]:
    """Those of some batches that are going on; none without Redis."""
    values: Any = ()
    with suppress(RedisError):
        values = redis_store.script(READ_BATCHES)(keys=[KEY], args=[LIFE_SECONDS])
    return {each.batch.id for each in decode_batches(values)}.intersection(batch_ids)
