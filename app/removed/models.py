"""The table of emptied lists."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import UtcDateTime

KIND_LENGTH = 16


class Emptied(db.Model):  # type: ignore[name-defined,misc]
    """An administrator has emptied the list of removed things of a kind: what was removed until
    then can no longer be restored, and the clock deletes it. The latest time of each kind."""

    __tablename__ = "emptied"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    kind: Mapped[str] = mapped_column(String(KIND_LENGTH), primary_key=True)
    until_at: Mapped[datetime] = mapped_column(UtcDateTime)
