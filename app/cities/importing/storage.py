"""The files of imports, in FILES_DIR/imports: each is there as long as its import waits for its
person."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from app.cities.importing.models import CityImport
from app.cities.importing.reading.tables import MOST_BYTES
from app.current import settings
from app.database import failures
from app.database.engine import db
from app.database.service import after_commit
from app.disk import has_space
from app.errors import NoSpace, NotFound
from app.files.storage.folder import (
    Incoming,
    find_stored,
    refusal_of,
    remove_stored,
    store_together,
)
from app.text import N_

FOLDER = "imports"


class ImportFile(NamedTuple):
    """A file in the storage folder."""

    name: str
    size: int
    sha256: str


class SentFile(Incoming):
    """The file of a form on its way into the storage folder, in the place of Werkzeug's temporary
    file: rewound when it is complete, closed when the request ends."""

    def __init__(self, coming: int) -> None:
        super().__init__(folder(), MOST_BYTES)
        if not has_space(self.folder, coming):
            self._reject(NoSpace())

    def seek(self, _position: int) -> None:
        self.finish()

    def close(self) -> None:
        """Delete what was not stored."""
        self.discard()


def folder() -> Path:
    return settings().files_dir / FOLDER


def path_of_import(found: CityImport) -> Path:
    """The path of the file of an import; NotFound for one that has none any more."""
    if found.stored_name is None:
        raise NotFound(N_("The file of this import is no longer stored. Choose it again."))
    return find_stored(folder(), found.stored_name)


@contextmanager
def stored(file: Incoming) -> Iterator[ImportFile]:
    """Store a file for the row that is inserted in the meantime. If that fails, the file is deleted
    again, unless the row may exist."""
    [name] = store_together([(file, "")])
    if isinstance(name, OSError):
        raise refusal_of(name) from name
    try:
        yield ImportFile(name, file.size, file.sha256)
    except failures.DATABASE_ERRORS as error:
        if failures.left_nothing(error):
            remove_stored(folder(), name)
        raise
    except Exception:
        remove_stored(folder(), name)
        raise


def remove_file(found: CityImport) -> None:
    """Delete the file of an import after the commit, within a running service."""
    if found.stored_name is not None:
        after_commit(partial(remove_stored, folder(), found.stored_name))
        found.stored_name = None


def has_import(stored_name: str) -> bool:
    """True if a stored file belongs to an import."""
    query = select(CityImport.id).where(CityImport.stored_name == stored_name)
    return db.session.scalar(query) is not None
