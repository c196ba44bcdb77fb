"""Search keys: fills them in for rows that other programs wrote, and finds cities of one name by
them."""

from sqlalchemy import bindparam, select, union_all

from app.cities.models import City, RemovedCity
from app.cities.rules import keys, pair_of, search_keys, sort_key
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import unrecorded
from app.database.stored_keys import BATCH, StoredKeys, update_keys

FILL_BATCHES = 40
ALIKE_MOST = 500
LOOKED = "search keys"  # in the information of a database session, which a request has of its own

# Rows whose keys are due: the original program inserted or renamed them, or the previous release,
# which does not know the last key, inserted them. Each condition has an index.
DUE = (City.keys_due, City.province_same.is_(None))
# The rows that may be the same city: those with the same keys, and those whose keys are due (many
# only between a large insert by the original program and the next search).
NAMES = select(City.id, City.provincename, City.cityname).limit(ALIKE_MOST)
ALIKE = union_all(
    select(
        NAMES.where(
            City.city_key == bindparam("city_key"), City.province_key == bindparam("province_key")
        ).subquery()
    ),
    *(select(NAMES.where(condition).subquery()) for condition in DUE),
)
NAME_COLUMNS = ("provincename", "cityname")
KEYS = StoredKeys(City, NAME_COLUMNS, keys)
REMOVED_KEYS = StoredKeys(
    RemovedCity,
    NAME_COLUMNS,
    lambda province, city: {"search_key": search_keys(province, city)["search_key"]},
)


def fill_keys() -> None:
    """Fill in the keys that are due: mostly none, which is a look into two indexes. Bounded to a
    second or two after a large insert: the next search continues with the rest, and with rows that
    are locked now. It is part of a read, which would not find these rows otherwise. A page reads
    several times, and looks once."""
    info = db.session().info
    if info.get(LOOKED):
        return
    info[LOOKED] = True
    due = union_all(*(select(select(City.id).where(each).limit(1).subquery()) for each in DUE))
    with tolerated("search keys were not filled in"):
        for _round in range(FILL_BATCHES):
            if db.session.scalar(due) is None:
                return
            fill_batch()


@unrecorded
def fill_batch() -> None:
    for condition in DUE:
        query = KEYS.query.where(condition).limit(BATCH).with_for_update()
        update_keys(City, KEYS.changed(db.session.execute(query).all()))


def find_same(province: str, city: str, other_than: int | None = None) -> int | None:
    """The smallest id of a city that has these names, as pair_of() compares them."""
    pair = pair_of(province, city)
    wanted = {"province_key": sort_key(province), "city_key": sort_key(city)}
    rows = db.session.execute(ALIKE, wanted)
    same = (row.id for row in rows if pair_of(row.provincename, row.cityname) == pair)
    return min((city_id for city_id in same if city_id != other_than), default=None)
