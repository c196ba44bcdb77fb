"""What an import holds until it is confirmed: the file, and one row for each of its lines."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BINARY, JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.cities.models import TEXT_LENGTH
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text
from app.text import load_messages

FAULTS_LENGTH = 255
STATE_LENGTH = 12
# What is not confirmed within this time can no longer be confirmed, and is deleted.
LIFE = timedelta(hours=24)
MOST_WAITING = 20  # unconfirmed imports a person


class LineKind(StrEnum):
    """What a line of the file would do to the register."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class ImportState(StrEnum):
    """What is intended with an import. Whether somebody works on it says its job: where that has
    ended, the import is stopped."""

    STORED = "stored"  # somebody has to say how it is read
    STAGING = "staging"
    STAGED = "staged"  # its preview waits
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    CANCELLED = "cancelled"  # nobody sees it; it is deleted piece by piece


# The states of imports that nobody has confirmed.
WAITING = (ImportState.STORED, ImportState.STAGING, ImportState.STAGED)


class LineOutcome(StrEnum):
    """What became of a line."""

    APPLIED = "applied"
    SKIPPED = "skipped"
    UNDONE = "undone"
    KEPT = "kept"


Count = Annotated[int, mapped_column(default=0, server_default=text("0"))]


class CityImport(db.Model):  # type: ignore[name-defined,misc]
    """One file to import; `person_id` is empty for one of the operator, `job_id` is its newest job.

    `lines_new` to `lines_refused` count the lines once all are staged, `added` to `skipped` those
    that were applied so far, `removed` to `kept` those that were undone. `staged_line`,
    `applied_line` and `undone_line` are how far each has come: they move in the transaction that
    does it, so that no line is staged, applied or undone twice. `applied_at` is set by the first
    lines that are applied, `finished_at` and `undone_at` by the last.
    """

    __tablename__ = "city_import"
    __table_args__ = ({"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},)

    id: Mapped[Id]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    file_name: Mapped[str] = mapped_column(bounded(TEXT_LENGTH))
    state: Mapped[str] = mapped_column(
        String(STATE_LENGTH), default=ImportState.STORED, server_default=ImportState.STORED
    )
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    # The names of fields for which the file has a column, set once every line is staged.
    fields: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    ignored: Mapped[str] = mapped_column(long_text())
    # The file in FILES_DIR/imports until the import is confirmed; earlier releases stored none.
    stored_name: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    # How it is read, as suggested or chosen, see reading/choices.py::Reading.
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # How the file was read, see reading/tables.py::Source; those of an earlier release have none.
    source: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # A text file under each encoding, see reading/samples.py.
    samples: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    # The number of the preview, which each job that makes one is given: only the one that was
    # looked at can be confirmed.
    preview: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment] = mapped_column(index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lines_new: Mapped[Count]
    lines_changed: Mapped[Count]
    lines_same: Mapped[Count]
    lines_refused: Mapped[Count]
    staged_line: Mapped[Count]
    applied_line: Mapped[Count]
    undone_line: Mapped[Count]
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[Count]
    removed: Mapped[Count]
    reverted: Mapped[Count]
    kept: Mapped[Count]
    # For the previous release alone: it sees no import of which `ready` is false, and so does not
    # confirm one whose lines it does not know.
    has_number: Mapped[bool] = mapped_column(default=False)
    ready: Mapped[bool] = mapped_column(default=False)

    @property
    def line_counts(self) -> dict[str, int]:
        """How many lines there are of each kind."""
        return {kind: getattr(self, f"lines_{kind}") for kind in LineKind}


class ImportLine(db.Model):  # type: ignore[name-defined,misc]
    """One line of the file and what it would do.

    `cells` are the texts of a refused line, `old_values` and `new_values` the values of all fields
    before and after (a changed line has both, a refused one neither), all by the names of fields.
    The names and keys are those of `new_values`. `surplus` and `problems` are of an earlier
    release.
    """

    __tablename__ = "city_import_line"
    __table_args__ = (
        CheckConstraint("kind IN ('new', 'changed', 'same', 'refused')", name="kind"),
        Index("ix_city_import_line_import_id_kind_line", "import_id", "kind", "line"),
        # By which skipped and kept lines are listed.
        Index("ix_city_import_line_import_id_outcome_line", "import_id", "outcome", "line"),
        # By which a city that comes twice in a file is found.
        Index("ix_city_import_line_import_id_name_digest", "import_id", "name_digest"),
        {"mysql_charset": "utf8mb4"},
    )

    import_id: Mapped[int] = mapped_column(
        ForeignKey("city_import.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    cells: Mapped[dict[str, str]] = mapped_column(JSON)
    surplus: Mapped[bool]
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
    # The digest of name_locks.py for both names, of the first line with these.
    name_digest: Mapped[bytes | None] = mapped_column(BINARY(20))
    # The row of the register that a changed line meets, as it was at the preview; of a new line the
    # row that was added for it.
    city_id: Mapped[int | None]
    city_version: Mapped[int | None]
    outcome: Mapped[str | None] = mapped_column(String(8))
    # The names of fields that are wrong, with commas between them, and the messages.
    faults: Mapped[str] = mapped_column(bounded(FAULTS_LENGTH), default="")
    reason: Mapped[str] = mapped_column(long_text(), default="")

    @property
    def explanation(self) -> str:
        """The reason in the reader's language."""
        return load_messages(self.reason)
