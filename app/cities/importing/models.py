"""What an import holds until it is confirmed: the file, and one row for each of its lines."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.cities.models import TEXT_LENGTH
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text
from app.text import load_messages

# A name that is too long is kept with one character too many, so that it stays too long.
KEPT_LENGTH = TEXT_LENGTH + 1
NUMBER_LENGTH = 64
REASON_LENGTH = 500


class Kind(StrEnum):
    """What a line of the file would do to the register."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class CityImport(db.Model):  # type: ignore[name-defined,misc]
    """One file on its way into the register. `ready` once every line is staged; `applied_at` once
    it was confirmed, from when on only the two counts are kept."""

    __tablename__ = "city_import"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    file_name: Mapped[str] = mapped_column(bounded(TEXT_LENGTH))
    ignored: Mapped[str] = mapped_column(long_text())
    has_number: Mapped[bool]
    ready: Mapped[bool] = mapped_column(default=False)
    # Rises when the preview is made anew: only the one that was looked at can be confirmed.
    preview: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment] = mapped_column(index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)


class CityImportRow(db.Model):  # type: ignore[name-defined,misc]
    """One line of the file and what it would do. The names are those that would stand in the
    register: for a changed or equal line those that stand there now."""

    __tablename__ = "city_import_row"
    __table_args__ = (
        CheckConstraint("kind IN ('new', 'changed', 'same', 'refused')", name="kind"),
        Index("ix_city_import_row_import_id_kind_line", "import_id", "kind", "line"),
        {"mysql_charset": "utf8mb4"},
    )

    import_id: Mapped[int] = mapped_column(
        ForeignKey("city_import.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    provincename: Mapped[str] = mapped_column(bounded(KEPT_LENGTH))
    cityname: Mapped[str] = mapped_column(bounded(KEPT_LENGTH))
    # As typed; None where the file has no such column.
    number_text: Mapped[str | None] = mapped_column(bounded(NUMBER_LENGTH))
    surplus: Mapped[bool]
    usernumber: Mapped[int | None]
    province_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    city_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    search_key: Mapped[str | None] = mapped_column(long_text())
    # The row of the register that a changed line meets, as it was at the preview.
    city_id: Mapped[int | None]
    city_version: Mapped[int | None]
    old_number: Mapped[int | None]
    field: Mapped[str] = mapped_column(String(32), default="")
    # Sentences without a language, as write_sentences() has them.
    reason: Mapped[str] = mapped_column(bounded(REASON_LENGTH), default="")

    @property
    def explanation(self) -> str:
        """The reason in the language of who reads it."""
        return load_messages(self.reason)
