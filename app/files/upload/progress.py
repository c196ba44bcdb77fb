"""Uploads in progress, for the start page of their senders. Redis has each request from its first
question whether it may go on, so that short ones cost nothing, and forgets it soon after its
process has ended; requests of one batch are shown as one (batches.py). Nothing depends on it:
without Redis none are shown."""

import secrets
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from redis.exceptions import RedisError

from app.actor import Actor, Role
from app.database.service import permitted
from app.files.names import printable
from app.files.upload.batches import (
    KEY,
    LATEST,
    LIFE_SECONDS,
    READ_BATCHES,
    RunningBatch,
    UploadBatch,
    decode_batches,
)
from app.files.upload.multipart import UploadParser
from app.files.upload.sent_names import decode_sent_names
from app.redis import unsent
from app.redis.client import redis_store
from app.redis.scripts import Call, run_together

# A hash for each person: by upload, the second in which it was noted, and what. The time is that of
# Redis, so that the clocks of hosts may differ.
WRITE = """
ask("HSET", KEYS[1], ARGV[1], redis.call("TIME")[1] .. " " .. ARGV[2])
ask("EXPIRE", KEYS[1], ARGV[3])
"""
REMOVE = 'ask("HDEL", KEYS[1], ARGV[1])'
# KEYS: the hash of all batches, that of the person. ARGV: LIFE_SECONDS.
READ = f"""
local function batches() {READ_BATCHES} end
local found, earliest = {{}}, redis.call("TIME")[1] - ARGV[1]
for place, value in ipairs(ask("HVALS", KEYS[2])) do
  local second, text = string.match(value, "^(%d+) (.*)$")
  if second and tonumber(second) > earliest then table.insert(found, text) end
end
return {{batches(), found}}
"""


Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class RunningUpload(msgspec.Struct):
    """A request. The file that is being received is the one with this number in the form;
    `received` and `size` are bytes of the form, `size` 0 if that is unknown; `began` is a Unix
    time."""

    name: str
    number: Count
    received: Count
    size: Count
    began: Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
    batch_id: str = ""

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.began, UTC)


@dataclass(frozen=True)
class Running:
    """The uploads of a person, the newest first: requests, and batches of them; and the ids of the
    batches of everybody."""

    own: Sequence[RunningUpload | RunningBatch] = ()
    batch_ids: Collection[str] = ()


class ProgressNote:
    """What Redis has about one request, and that its batch is going on."""

    def __init__(self, person_id: int) -> None:
        self.key, self.field = key_of(person_id), secrets.token_hex(8)
        self.began, self.is_written = int(time.time()), False

    def write(
        self, parser: UploadParser, received: int, size: int, batch: UploadBatch | None = None
    ) -> None:
        """Note how far the form has been read."""
        names = [part.filename or "" for part, _file in parser.parts]
        name = names[-1] if names else ""
        if isinstance(name, bytes):
            [decoded] = decode_sent_names([name])
            name = decoded.text if decoded else name.decode("utf-8", "replace")
        upload = RunningUpload(
            printable(name), len(names), received, size, self.began, batch.id if batch else ""
        )
        self.is_written = True
        text = msgspec.json.encode(upload).decode()
        call = Call(WRITE, [self.key], [self.field, text, LIFE_SECONDS])
        with suppress(RedisError):
            run_together(call, *([batch.noted()] if batch else []))

    def remove(self) -> None:
        """Remove it, in the trip that sends what the upload has changed."""
        if self.is_written:
            unsent.run_later(Call(REMOVE, [self.key], [self.field]))


@permitted(Role.VIEWER)
def list_running(actor: Actor) -> Running:
    """The actor's own, by page and by token; none without Redis. What another release has written
    in another form is left out."""
    values: Any = ((), ())
    with suppress(RedisError):
        keys = [KEY, key_of(actor.person_id)]
        values = redis_store.script(READ)(keys=keys, args=[LIFE_SECONDS])
    requests, batches = list[RunningUpload](), decode_batches(values[0])
    for text in values[1]:
        with suppress(msgspec.DecodeError, OverflowError):
            requests.append(msgspec.json.decode(text, type=RunningUpload))
    own = [each for each in batches if each.batch.person_id == actor.person_id]
    found = sorted(join_batches(requests, own), key=lambda each: (-each.began, each.name))
    return Running(found, {each.batch.id for each in batches})


def join_batches(
    requests: Sequence[RunningUpload], batches: Sequence[RunningBatch]
) -> list[RunningUpload | RunningBatch]:
    """Requests of a batch are part of it, unless its only file is being received."""
    found: dict[str, RunningBatch] = {each.batch.id: each for each in batches}
    single = list[RunningUpload]()
    for request in requests:
        batch = found.get(request.batch_id)
        if batch is None or batch.batch.files == 1:
            found.pop(request.batch_id, None)
            single.append(request)
        else:
            received = batch.received + request.received
            found[request.batch_id] = msgspec.structs.replace(batch, received=received)
    return [*single, *found.values()]


def key_of(person_id: int) -> str:
    return f"{KEY}:{person_id}"
