"""The identity of the database and of its latest change of people."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db


class Installation(db.Model):  # type: ignore[name-defined,misc]
    """One row. The number rises with each person who is added and each epoch that is raised, and
    the token of that change is random: a restored backup lacks the tokens of the changes after it.
    The earlier tokens, latest first, are separated by spaces."""

    __tablename__ = "installation"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(32))
    people_no: Mapped[int]
    people_token: Mapped[str] = mapped_column(String(32))
    earlier_tokens: Mapped[str] = mapped_column(Text)
