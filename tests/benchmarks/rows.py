"""Cities and history entries for benchmarks, with a fixed seed."""

import random
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import insert

from app.cities.models import City
from app.cities.rules import keys
from app.database.engine import db
from app.history.models import HistoryEntry
from app.times import now

BATCH = 10_000
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳台"
SYLLABLES = "安宝长德定东阜广海衡淮江金九兰连临龙南宁平青泉山上绍石太天文无西新扬宜永中"
NOWHERE = "圳"  # in no name
# The newest entries, the oldest first: an import, a folder of uploads and some single changes.
NEWEST = (
    (5000, {"action": "city.create", "batch_id": "import"}),
    (3000, {"action": "file.create", "batch_id": "folder", "subject_kind": "file"}),
    (20, {}),
)


def make_rows(count: int, seed: int = 20261121) -> Iterator[list[dict[str, object]]]:
    """Random cities, duplicates among them, some thousands at a time."""
    rng = random.Random(seed)
    for start in range(0, count, BATCH):
        rows = []
        for _ in range(min(BATCH, count - start)):
            province = f"{rng.choice(PROVINCES)}省"
            city = "".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) + "市"
            rows.append({
                "provincename": province, "cityname": city,
                "usernumber": rng.randint(0, 30_000_000), **keys(province, city),
            })  # fmt: skip
        yield rows


def add_rows(count: int, seed: int = 20261121) -> None:
    """Insert random cities, inside an application context."""
    for batch in make_rows(count, seed):
        with db.engine.begin() as connection:
            connection.execute(insert(City), batch)


def make_entries(first: int, count: int, **more: object) -> list[dict[str, object]]:
    """Entries that follow each other, the first of which stands for the others of its batch."""
    start = now() - timedelta(days=300)
    common = {
        "actor_id": 1, "via": "page", "visible_to": 0, "subject_kind": "city", "version": 2,
        "action": "city.update", "old_values": '{"users": 5}', "new_values": '{"users": 7}',
        "batch_id": None, **more,
    }  # fmt: skip
    return [
        {
            **common,
            "at": start + timedelta(seconds=20 * number),
            "subject_id": number % BATCH + 1,
            "folded": common["batch_id"] is not None and number > first,
        }
        for number in range(first, first + count)
    ]


def add_entries(first: int, count: int) -> None:
    """Insert entries from this number on, the newest of them last."""
    table = HistoryEntry.__table__
    for start in range(first, first + count, BATCH):
        with db.engine.begin() as connection:
            entries = make_entries(start, min(BATCH, first + count - start))
            connection.execute(insert(table), entries)
    for newest, more in NEWEST:
        if batch := more.get("batch_id"):
            more = {**more, "batch_id": f"{batch} {count}"}
        with db.engine.begin() as connection:
            connection.execute(insert(table), make_entries(first + count, newest, **more))
