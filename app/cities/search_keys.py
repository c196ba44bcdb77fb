"""Search keys: fills them in for rows that the original program wrote, and finds duplicates by
them."""

from sqlalchemy import bindparam, select, union_all, update

from app.cities.models import City
from app.cities.rules import keys, pair_of, sort_key
from app.database.engine import db
from app.database.service import bookkeeping
from app.errors import Locked

FILL_BATCH, FILL_BATCHES = 500, 40
ALIKE_MOST = 500

# The rows that may be the same city: those with the same keys, and those whose keys are due (many
# only between a large insert by the original program and the next search).
NAMES = select(City.id, City.provincename, City.cityname).limit(ALIKE_MOST)
ALIKE = union_all(
    select(
        NAMES.where(
            City.city_key == bindparam("city_key"), City.province_key == bindparam("province_key")
        ).subquery()
    ),
    select(NAMES.where(City.keys_due).subquery()),
)


def fill_keys() -> None:
    """Fill in the keys of rows that the original program inserted or renamed: mostly none, which is
    one look into an index. Bounded to a second or two after a large insert: the next search
    continues with the rest, and with rows that are locked now."""
    due = select(City.id).where(City.keys_due).limit(1)
    for _round in range(FILL_BATCHES):
        if db.session.scalar(due) is None:
            return
        try:
            fill_batch()
        except Locked:
            return


@bookkeeping
def fill_batch() -> None:
    query = select(City.id, City.provincename, City.cityname).where(City.keys_due)
    rows = db.session.execute(query.limit(FILL_BATCH).with_for_update()).all()
    changes = [{"id": row.id, **keys(row.provincename, row.cityname)} for row in rows]
    if changes:
        db.session.execute(update(City), changes)


def find_same(province: str, city: str, other_than: int | None = None) -> int | None:
    """The smallest id of a city that has these names, as pair_of() compares them."""
    wanted = {"province_key": sort_key(province), "city_key": sort_key(city)}
    rows = db.session.execute(ALIKE, wanted)
    same = (row.id for row in rows if pair_of(row.provincename, row.cityname) == (province, city))
    return min((city_id for city_id in same if city_id != other_than), default=None)
