"""The table of files. The bytes are in the storage folder, under names of our own."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Row, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.auth.models import Person
from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, long_text
from app.text import COMPOSED_FROM

NAME_LENGTH = 255
# With the name it just fits into the longest key that InnoDB takes (3,072 bytes).
FOLDER_LENGTH = 500
EXTENSION_LENGTH = 32
# A name or path as it was sent: NFC composes at most four characters into one.
SENT_LENGTH = COMPOSED_FROM * NAME_LENGTH
# Two uploads at once cannot both become the same version.
UNIQUE_VERSION = "uq_file_owner_id_folder_name_version"
# Both empty: the current version of a file that was not removed.
CURRENT = ("replaced_at", "removed_at")
LISTED_BY = ("created_at", "name_key", "size", "owner_id")


class File(db.Model):  # type: ignore[name-defined,misc]
    """One version of a file. Owner, folder and name identify the file; the same again by the same
    person is its next version. The current version is the one with `replaced_at` empty.

    A file is removed with all its versions, which get the same `removed_at` and are restored
    together. Versions that were removed earlier under the same name have their own."""

    __tablename__ = "file"
    __table_args__ = (
        UniqueConstraint("owner_id", "folder", "name", "version", name=UNIQUE_VERSION),
        Index("ix_file_name", "name"),
        Index("ix_file_former_name", "former_name"),
        # The lists of current versions, of all and of a folder's, in each of their orders.
        *(Index(f"ix_file_listed_{column}", *CURRENT, column) for column in LISTED_BY),
        *(Index(f"ix_file_in_folder_{column}", "folder", *CURRENT, column) for column in LISTED_BY),
        Index("ix_file_removed_at", "removed_at"),
        Index("ix_file_expires_at", "expires_at"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    # The path of an uploaded folder, without a slash at either end; '' for a single file.
    folder: Mapped[str] = mapped_column(bounded(FOLDER_LENGTH), default="")
    name: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    extension: Mapped[str] = mapped_column("ending", bounded(EXTENSION_LENGTH))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    content_type: Mapped[str] = mapped_column(String(127))
    stored_name: Mapped[str] = mapped_column(String(64), unique=True)
    # The path as it was sent, in NFC, if that is another one. Files of different sent paths are
    # never versions of each other.
    sent_name: Mapped[str | None] = mapped_column(bounded(SENT_LENGTH))
    # What today's rules would refuse about an adopted file (app/files/adoption.py).
    flaw: Mapped[str | None] = mapped_column(String(32))
    # The stored name in the original program, so that links to it still work.
    former_name: Mapped[str | None] = mapped_column(bounded(NAME_LENGTH))
    version: Mapped[int]
    created_at: Mapped[Moment]
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    # When it is deleted, if it is the result of a job that nobody has moved.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    downloads: Mapped[int] = mapped_column(default=0)
    # For sorting and searching, see search_keys.py.
    name_key: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    search_key: Mapped[str] = mapped_column(long_text(), deferred=True)

    owner: Mapped[Person] = relationship(foreign_keys=owner_id)
    # In a list of folders and files.
    is_folder = False

    @property
    def path(self) -> str:
        return join_path(self.folder, self.name)

    @property
    def sent_path(self) -> str:
        return self.sent_name or self.path


# A file as a row of some of its columns.
FileRow = Row[*tuple[Any, ...]]


def join_path(folder: str, name: str) -> str:
    """Folder and name; the name alone for a file without a folder."""
    return f"{folder}/{name}" if folder else name
