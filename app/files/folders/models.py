"""The table of folders. A file is in the folder whose path it has; all people share folders."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.auth.models import Person
from app.database.engine import db
from app.database.types import Id, Moment, bounded
from app.files.folders.paths import name_of
from app.files.models import FOLDER_LENGTH, NAME_LENGTH

UNIQUE_PATH = "uq_folder_path"


class Folder(db.Model):  # type: ignore[name-defined,misc]
    """A folder, also an empty one. The root has no row. Its path has no slash at either end.

    Files of which an earlier release made no row, and which it still writes during a roll-out, get
    theirs from rows.py; until then their folder is shown, but not listed in the one above it."""

    __tablename__ = "folder"
    __table_args__ = (
        UniqueConstraint("path", name=UNIQUE_PATH),
        Index("ix_folder_listed", "parent", "name_key"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    path: Mapped[str] = mapped_column(bounded(FOLDER_LENGTH))
    # The path of the folder that it is in; '' for the root.
    parent: Mapped[str] = mapped_column(bounded(FOLDER_LENGTH))
    # For sorting and searching by name, see search_keys.py.
    name_key: Mapped[str] = mapped_column(bounded(NAME_LENGTH))
    created_at: Mapped[Moment]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    creator: Mapped[Person | None] = relationship(foreign_keys=created_by)
    # In a list of folders and files.
    is_folder = True

    @property
    def name(self) -> str:
        return name_of(self.path)
