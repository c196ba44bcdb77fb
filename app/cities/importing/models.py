"""What an import holds until it is confirmed: the file, and one row for each of its lines."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.cities.models import TEXT_LENGTH
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text
from app.text import load_messages

FAULTS_LENGTH = 255
# What is not confirmed within this time can no longer be confirmed, and is deleted.
LIFE = timedelta(hours=24)
MOST_WAITING = 20  # unconfirmed imports a person


class LineKind(StrEnum):
    """What a line of the file would do to the register."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class CityImport(db.Model):  # type: ignore[name-defined,misc]
    """One file to import. `fields` are the names of fields for which it has a column, set once
    every line is staged; before that a person may have to choose how the file is read. `applied_at`
    is set on confirmation; the lines are then deleted and only the counts remain."""

    __tablename__ = "city_import"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    file_name: Mapped[str] = mapped_column(bounded(TEXT_LENGTH))
    fields: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    ignored: Mapped[str] = mapped_column(long_text())
    # The file in FILES_DIR/imports until the import is confirmed; earlier releases stored none.
    stored_name: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    # How a person chose that it is read, see reading/choices.py::Reading.
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # How the file was read, see reading/tables.py::Source; those of an earlier release have none.
    source: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Rises when the preview is made again: only the one that was looked at can be confirmed.
    preview: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment] = mapped_column(index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    # For the previous release alone: it sees no import of which `ready` is false, and so does not
    # confirm one whose lines it does not know.
    has_number: Mapped[bool] = mapped_column(default=False)
    ready: Mapped[bool] = mapped_column(default=False)


class ImportLine(db.Model):  # type: ignore[name-defined,misc]
    """One line of the file and what it would do.

    `cells` are the texts of the file, `old_values` and `new_values` the values of all fields before
    and after (a changed line has both, a refused one neither), all by the names of fields. The
    names and keys are those of `new_values`.
    """

    __tablename__ = "city_import_line"
    __table_args__ = (
        CheckConstraint("kind IN ('new', 'changed', 'same', 'refused')", name="kind"),
        Index("ix_city_import_line_import_id_kind_line", "import_id", "kind", "line"),
        {"mysql_charset": "utf8mb4"},
    )

    import_id: Mapped[int] = mapped_column(
        ForeignKey("city_import.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    cells: Mapped[dict[str, str]] = mapped_column(JSON)
    surplus: Mapped[bool]
    # What a workbook has in the cells of fields, see reading/tables.py::Line.
    problems: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    old_values: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    new_values: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # What the history will record of a new or changed city.
    before: Mapped[str | None] = mapped_column("recorded_before", long_text())
    after: Mapped[str | None] = mapped_column("recorded_after", long_text())
    provincename: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    cityname: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    province_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    city_key: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    search_key: Mapped[str | None] = mapped_column(long_text())
    province_same: Mapped[str | None] = mapped_column(bounded(TEXT_LENGTH))
    # The row of the register that a changed line meets, as it was at the preview.
    city_id: Mapped[int | None]
    city_version: Mapped[int | None]
    # The names of fields that are wrong, with commas between them, and the messages.
    faults: Mapped[str] = mapped_column(bounded(FAULTS_LENGTH), default="")
    reason: Mapped[str] = mapped_column(long_text(), default="")

    @property
    def explanation(self) -> str:
        """The reason in the reader's language."""
        return load_messages(self.reason)
