"""How many jobs of a person wait or run, for the bar: Redis has the number beside the person's
epoch, so that no page asks for it."""

from contextlib import suppress
from functools import partial

from redis.exceptions import RedisError
from sqlalchemy import select

from app.database.engine import db, release_connection
from app.database.keyset import COUNT_MOST, count_some
from app.database.service import after_commit
from app.jobs.models import ACTIVE, Job
from app.redis.client import PERSON_PREFIX, redis_store

# How long a number counts that nobody has written again, as a worker does every few seconds: two
# that end at once may write theirs in the wrong order.
COUNT_SECONDS = 600

# KEYS: gz:person:<id>. ARGV: the number, COUNT_SECONDS.
WRITE_COUNT = """
if ask("EXISTS", KEYS[1]) == 1 then
  local now = tonumber(redis.call("TIME")[1])
  ask("HSET", KEYS[1], "jobs", ARGV[1], "jobs_until", now + ARGV[2])
end
"""


def publish_count(person_id: int | None) -> None:
    """Count the jobs of a person and write the number to Redis; without Redis none is shown."""
    if person_id is None:
        return
    own = (Job.created_by == person_id, Job.state.in_(ACTIVE))
    count = count_some(Job.id, own)
    release_connection()
    with suppress(RedisError):
        number = COUNT_MOST if count is None else count
        key = f"{PERSON_PREFIX}{person_id}"
        redis_store.script(WRITE_COUNT)(keys=[key], args=[number, COUNT_SECONDS])


def count_after_commit(person_id: int | None) -> None:
    """The same once the running service has committed."""
    after_commit(partial(publish_count, person_id))


def owner_of(job_id: int) -> int | None:
    """Whose job it is."""
    found: int | None = db.session.scalar(select(Job.created_by).where(Job.id == job_id))
    return found
