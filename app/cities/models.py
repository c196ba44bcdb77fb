"""The table of cities. Its first four columns are those of the original program, which may go on
reading and inserting: everything we added has a default or may be empty."""

from datetime import datetime

from sqlalchemy import Computed, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import NAME_LENGTH
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text

TEXT_LENGTH = 255
USERS_MOST = 2_147_483_647
# A missing name and an empty one have the same key.
KEYS_DUE = (
    "province_key IS NULL OR COALESCE(provincename, '') <> COALESCE(keyed_province, '') "
    "OR COALESCE(cityname, '') <> COALESCE(keyed_city, '')"
)


class City(db.Model):  # type: ignore[name-defined,misc]
    """One city. `version` rises with every change made here; the keys are the NFKC-casefolded
    names that search and sort use, the same on SQLite and MariaDB."""

    __tablename__ = "city"
    __table_args__ = (
        db.Index("ix_city_provincename", "provincename"),
        # Users by province are summed from this index alone, eight times as fast.
        db.Index("ix_city_provincename_usernumber", "provincename", "usernumber"),
        db.Index("ix_city_cityname_provincename", "cityname", "provincename"),
        db.Index("ix_city_usernumber", "usernumber"),
        db.Index("ix_city_changed_at", "changed_at"),
        db.Index("ix_city_province_key", "province_key"),
        db.Index("ix_city_city_key", "city_key"),
        db.Index("ix_city_keys_due", "keys_due"),
        # Ids never come back, even those of the newest rows removed.
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    provincename: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    cityname: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    usernumber: Mapped[int | None]
    version: Mapped[int] = mapped_column(server_default=text("1"), default=1)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=func.now())
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=func.now())
    # Empty until we have seen the row: the original program fills none of what follows.
    province_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    city_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    search_key: Mapped[str | None] = mapped_column(long_text())
    # The names of which the keys were made. The original program may change a name at any time;
    # the database then says by itself that the keys are due, here and in an index.
    keyed_province: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    keyed_city: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    keys_due: Mapped[bool] = mapped_column(Computed(KEYS_DUE, persisted=False), nullable=True)


class RemovedCity(db.Model):  # type: ignore[name-defined,misc]
    """A city that was removed, kept for a while so that it can be put back under its id."""

    __tablename__ = "removed_city"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    city_id: Mapped[int]
    provincename: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    cityname: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    usernumber: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[Moment] = mapped_column(index=True)
    removed_by: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
