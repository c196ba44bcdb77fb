"""The tables of cities and of removed cities. The original program may go on reading and inserting
the columns `id`, `provincename`, `cityname` and `usernumber`: everything that we added has a
default or may be empty."""

from datetime import datetime

from sqlalchemy import BINARY, Computed, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import NAME_LENGTH
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text

TEXT_LENGTH = 255
KIND = "city"  # of removed cities, in the table of emptied lists
USERS_MOST = 2_147_483_647
# From which MariaDB reads searches; see listing/words.py.
NAMES_INDEX = "ix_city_id_province_key_city_key"
# True if the keys are missing or are of other names. NULL and empty names have the same key.
KEYS_DUE = (
    "province_key IS NULL OR COALESCE(provincename, '') <> COALESCE(keyed_province, '') "
    "OR COALESCE(cityname, '') <> COALESCE(keyed_city, '')"
)


class CityColumns:
    """The columns of the values that people enter; fields.py says what each may hold. All may be
    empty: the original program checks nothing."""

    provincename: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    cityname: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    usernumber: Mapped[int | None]


class City(CityColumns, db.Model):  # type: ignore[name-defined,misc]
    """One city. `version` rises with every change made here; the keys are the names as search and
    sort use them, case-folded, the same on SQLite and MariaDB."""

    __tablename__ = "city"
    __table_args__ = (
        db.Index("ix_city_provincename", "provincename"),
        # For the previous release, which compares provinces as they are written.
        db.Index("ix_city_provincename_usernumber", "provincename", "usernumber"),
        # In this one the rows of a province are in the order of their ids.
        db.Index("ix_city_province_same", "province_same"),
        # Users by province are summed from this index alone, eight times as fast.
        db.Index("ix_city_province_same_usernumber", "province_same", "usernumber"),
        db.Index("ix_city_cityname_provincename", "cityname", "provincename"),
        db.Index("ix_city_usernumber", "usernumber"),
        db.Index("ix_city_changed_at", "changed_at"),
        db.Index("ix_city_province_key", "province_key"),
        db.Index("ix_city_city_key", "city_key"),
        db.Index("ix_city_keys_due", "keys_due"),
        db.Index(NAMES_INDEX, "id", "province_key", "city_key").ddl_if(dialect="mysql"),
        # Ids never come back, even those of the newest rows removed.
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    version: Mapped[int] = mapped_column(server_default=text("1"), default=1)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=func.now())
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=func.now())
    # Empty in rows of the original program until search_keys.py fills them.
    province_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    city_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    search_key: Mapped[str | None] = mapped_column(long_text())
    # What cities of one province have in common, however it is written; see rules.province_same().
    province_same: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    # The names of which the keys were made. Where the original program has changed a name since,
    # the computed column `keys_due` is true.
    keyed_province: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    keyed_city: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    keys_due: Mapped[bool] = mapped_column(Computed(KEYS_DUE, persisted=False), nullable=True)


class NameLock(db.Model):  # type: ignore[name-defined,misc]
    """A name of a city, as a digest. Whoever is about to look whether there is a city of this name,
    and to add it, locks the row until then; see name_locks.py. Rows are never deleted."""

    __tablename__ = "name_lock"

    digest: Mapped[bytes] = mapped_column(BINARY(20), primary_key=True)


class RemovedCity(CityColumns, db.Model):  # type: ignore[name-defined,misc]
    """A city that was removed, stored for REMOVED_DAYS so that it can be restored under its id."""

    __tablename__ = "removed_city"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    city_id: Mapped[int] = mapped_column(index=True)
    version: Mapped[int]
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[Moment] = mapped_column(index=True)
    removed_by: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    # As that of a city; empty in rows of the previous release until the clock fills it in.
    search_key: Mapped[str | None] = mapped_column(long_text())
