"""Uploads that are being received, for the start page of their senders. Redis has them from their
first question whether they may go on, so that short ones cost nothing, and forgets them soon after
their process has ended. Nothing depends on it: without Redis none are shown."""

import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from redis.exceptions import RedisError

from app.actor import Actor, Role
from app.database.service import permitted
from app.files.names import printable
from app.files.upload.multipart import UploadParser
from app.files.upload.sent_names import decode_sent_names
from app.redis.client import redis_store

LIFE_SECONDS = 30  # after the last note

# A hash for each person: by upload, the second in which it was noted, and what. The time is that of
# Redis, so that the clocks of hosts may differ.
WRITE = """
ask("HSET", KEYS[1], ARGV[1], redis.call("TIME")[1] .. " " .. ARGV[2])
ask("EXPIRE", KEYS[1], ARGV[3])
"""
READ = """
local found, earliest = {}, redis.call("TIME")[1] - ARGV[1]
for place, value in ipairs(ask("HVALS", KEYS[1])) do
  local second, text = string.match(value, "^(%d+) (.*)$")
  if second and tonumber(second) > earliest then table.insert(found, text) end
end
return found
"""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class RunningUpload(msgspec.Struct):
    """The file that is being received is the one with this number in the form; `received` and
    `size` are bytes of the form, `size` 0 if that is unknown; `began` is a Unix time."""

    name: str
    number: Count
    received: Count
    size: Count
    began: Count

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.began, UTC)


class ProgressNote:
    """What Redis has about one upload."""

    def __init__(self, person_id: int) -> None:
        self.key, self.field = key_of(person_id), secrets.token_hex(8)
        self.began, self.is_written = int(time.time()), False

    def write(self, parser: UploadParser, received: int, size: int) -> None:
        """Note how far the form has been read."""
        names = [part.filename or "" for part, _file in parser.parts]
        name = names[-1] if names else ""
        if isinstance(name, bytes):
            [decoded] = decode_sent_names([name])
            name = decoded.text if decoded else name.decode("utf-8", "replace")
        upload = RunningUpload(printable(name), len(names), received, size, self.began)
        self.is_written = True
        with suppress(RedisError):
            text = msgspec.json.encode(upload).decode()
            redis_store.script(WRITE)(keys=[self.key], args=[self.field, text, LIFE_SECONDS])

    def remove(self) -> None:
        """Remove it, at the end of the upload."""
        if self.is_written:
            with suppress(RedisError):
                redis_store.client.hdel(self.key, self.field)


@permitted(Role.VIEWER)
def list_running(actor: Actor) -> Sequence[RunningUpload]:
    """The actor's own, by page and by token, the newest first; none without Redis. What another
    release has written in another form is left out."""
    found = list[RunningUpload]()
    with suppress(RedisError):
        texts: Any = redis_store.script(READ)(keys=[key_of(actor.person_id)], args=[LIFE_SECONDS])
        for text in texts:
            with suppress(msgspec.DecodeError, OverflowError):
                found.append(msgspec.json.decode(text, type=RunningUpload))
    return sorted(found, key=lambda upload: (-upload.began, upload.name))


def key_of(person_id: int) -> str:
    return f"gz:uploading:{person_id}"
