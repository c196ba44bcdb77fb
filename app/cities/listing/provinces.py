"""Provinces by what people type of their names."""

from sqlalchemy import ColumnElement, Select, select

from app.actor import Actor
from app.cities import cache
from app.cities.models import City
from app.cities.queries import check_reader, province_names
from app.cities.rules import province_same, sort_key
from app.database.engine import db

# The most names that are suggested for what was typed.
SUGGESTED_MOST = 20
# Inside of so many names a text is looked for; at the beginning of all.
SEARCHED_MOST = 10_000
LAST_CHARACTER = "\U0010ffff"


def in_province(wanted: str) -> ColumnElement[bool]:
    """Rows of a province: of the one that is written like this; if there is none, of all whose
    search keys are the same (china 30 is China 30)."""
    same = City.province_same == province_same(wanted)
    if db.session.scalar(select(City.id).where(same).limit(1)) is not None:
        return same
    return City.province_key == sort_key(wanted)


def has_province(wanted: str) -> bool:
    return db.session.scalar(select(City.id).where(in_province(wanted)).limit(1)) is not None


def suggest_provinces(actor: Actor, text: str, most: int = SUGGESTED_MOST) -> list[str]:
    """Up to `most` names that contain a text in any case: first those that begin with it, each part
    in the order of search keys."""
    check_reader(actor)
    wanted = sort_key(text)
    searched = cache.get_or_compute("province keys", list[str], read_all_keys)
    begins = [key for key in db.session.scalars(keys_from(wanted).limit(most)) if key]
    inside = [key for key in searched if wanted in key and not key.startswith(wanted)]
    return read_names([*begins, *inside][:most])


def read_all_keys() -> list[str]:
    return [key for key in db.session.scalars(keys_from("").limit(SEARCHED_MOST)) if key]


def keys_from(begin: str) -> Select[str | None]:
    """The search keys of provinces that begin with a text, from their index alone."""
    # One lower bound: SQLite takes the first of two for the index.
    lower = City.province_key >= begin if begin else City.province_key > ""
    upper = City.province_key < begin + LAST_CHARACTER
    return select(City.province_key).where(lower, upper).distinct().order_by(City.province_key)


def read_names(keys: list[str]) -> list[str]:
    """The names of the provinces with these search keys, in this order."""
    named = select(City.province_key).where(City.province_key.in_(keys)).distinct().subquery()
    same = (
        select(City.province_same)
        .where(City.province_key == named.c.province_key)
        .limit(1)
        .scalar_subquery()
    )
    found = province_names(select(same.label("province_same"), named.c.province_key))
    return [name for _same, _key, name in sorted(found, key=lambda row: keys.index(row[1]))]
