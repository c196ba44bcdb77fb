"""The table that shows that a clock runs."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import UtcDateTime

NAME_LENGTH, HOLDER_LENGTH = 32, 255


class Lease(db.Model):  # type: ignore[name-defined,misc]
    """The clock that has written last. An earlier release had one of several clocks do the
    housekeeping until then."""

    __tablename__ = "lease"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    name: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    holder: Mapped[str] = mapped_column(String(HOLDER_LENGTH))
    until_at: Mapped[datetime] = mapped_column(UtcDateTime)
