"""Download counts: collected in Redis, and added to the rows by the clock, a batch at a time.

A batch is moved aside under an id, added in one transaction together with that id, and deleted. If
the clock dies in between, the next run finds the same batch; if its id is stored already, the batch
was added. So every download counts once.
"""

from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import bindparam, update

from app.database.engine import db
from app.database.failures import tolerated
from app.database.idempotency import is_first_use, new_key
from app.database.service import unrecorded
from app.files.models import File
from app.redis.client import redis_store
from app.redis.failures import may_have_run
from app.text import read_count

COUNTS_KEY = "gz:downloads"
BATCH_KEY = "gz:downloads:batch"
BATCH_SIZE = 500
ID = "id"  # the field of a batch that is not the id of a file
MOST = 2**31 - 1

# The batch that was begun, or the next one. KEYS: counts, batch. ARGV: an id, the size of a batch.
TAKE = """
if ask("HEXISTS", KEYS[2], "id") == 0 then
  ask("DEL", KEYS[2])
  local found = ask("HGETALL", KEYS[1])
  if #found == 0 then return {} end
  for i = 1, math.min(#found, 2 * ARGV[2]), 2 do
    ask("HSET", KEYS[2], found[i], found[i + 1])
    ask("HDEL", KEYS[1], found[i])
  end
  ask("HSET", KEYS[2], "id", ARGV[1])
end
return ask("HGETALL", KEYS[2])
"""

# KEYS: batch. ARGV: its id.
DONE = """
if ask("HGET", KEYS[1], "id") == ARGV[1] then ask("DEL", KEYS[1]) end
"""


def count(file_id: int) -> None:
    """Count a download. Without Redis it is added to the row at once, and goes on uncounted if the
    database is busy or away too. If only the answer was lost, Redis counts it when it goes on."""
    try:
        redis_store.client.hincrby(COUNTS_KEY, str(file_id), 1)
    except RedisError as error:
        if may_have_run(error):
            return
        with tolerated(f"a download of file {file_id} was not counted"):
            add_counts("", {file_id: 1})


def store_counts() -> int:
    """Add all counts of Redis to the rows; returns how many downloads there were."""
    total = 0
    while True:
        flat: list[Any] = redis_store.script(TAKE)(
            keys=[COUNTS_KEY, BATCH_KEY], args=[new_key(), BATCH_SIZE]
        )
        batch = dict(zip(flat[::2], flat[1::2], strict=True))
        if not batch:
            return total
        batch_id = batch.pop(ID)
        # A 0, which something else wrote, changes nothing.
        counts = {read_count(name, MOST): read_count(more, MOST) for name, more in batch.items()}
        total += add_counts(batch_id, counts)
        redis_store.script(DONE)(keys=[BATCH_KEY], args=[batch_id])


def forget_counts() -> None:
    """Delete the counts that are not stored yet: a backup was restored, and other files may have
    their ids."""
    redis_store.client.delete(COUNTS_KEY, BATCH_KEY)


@unrecorded
def add_counts(batch_id: str, counts: dict[int, int]) -> int:
    """Add counts to the rows by id, unless this batch was added before."""
    if batch_id and not is_first_use(f"downloads {batch_id}"):
        return 0
    rows = [{"file": file_id, "more": more} for file_id, more in counts.items()]
    if rows:
        db.session.connection().execute(
            update(File.__table__)
            .where(File.__table__.c.id == bindparam("file"))
            .values(downloads=File.__table__.c.downloads + bindparam("more")),
            rows,
        )
    return sum(counts.values())
