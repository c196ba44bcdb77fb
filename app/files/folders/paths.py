"""Paths of folders: rules on plain values, and the condition for what is below one. A path has no
slash at either end; that of the root is empty."""

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true

from app.database.cursor import storable
from app.errors import NotFound
from app.files.models import FOLDER_LENGTH, join_path
from app.files.names import FOLDER_TOO_LONG, check_length, clean_name
from app.text import COMPOSED_FROM, N_

NO_FOLDER = N_(
    "No folder has this name. If it was renamed or moved, search for it on the Files page."
)

# What follows a slash in the order of code points, by which both databases compare paths.
AFTER_SLASH = chr(ord("/") + 1)


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def parent_of(path: str) -> str:
    """The path of the folder above; that of a folder at the top is the root."""
    return path.rpartition("/")[0]


def ancestors(path: str) -> list[str]:
    """The folders on the way to a path, itself the last; none for the root."""
    parts = path.split("/") if path else []
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def is_inside(path: str, folder: str) -> bool:
    """True for a folder itself and for what is below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def moved(path: str, old: str, new: str) -> str:
    """The path of a folder that is `old` or below it, once that is `new`."""
    return new + path[len(old) :]


def inside(column: Any, folder: str) -> ColumnElement[bool]:
    """The condition for paths that are `folder` or below it. Not LIKE, for which case makes no
    difference on SQLite, and `_` is any character. The first two bounds are one range of an index,
    which also has siblings such as `folder 2`."""
    if not folder:
        return true()
    return and_(
        column >= folder,
        column < folder + AFTER_SLASH,
        or_(column == folder, column >= f"{folder}/"),
    )


def clean_folder(sent: str) -> str:
    """A path that a person or script sent, each part of which is a name; Invalid if it is not one.
    Slashes at the ends do not count."""
    check_length(sent, COMPOSED_FROM * FOLDER_LENGTH, FOLDER_TOO_LONG)
    sent = sent.strip().strip("/")
    path = "/".join(map(clean_name, sent.split("/"))) if sent else ""
    check_length(path, FOLDER_LENGTH, FOLDER_TOO_LONG)
    return path


def path_of_address(folder: str) -> str:
    """The path of a folder in an address, whose letters may be composed in another way; NotFound
    with characters that no path has."""
    if storable(folder) != folder:
        raise NotFound(NO_FOLDER)
    return unicodedata.normalize("NFC", folder).strip("/")


def path_in(folder: str, name: str) -> str:
    """The path of a folder of this name in another one; Invalid if it is too long."""
    path = join_path(folder, name)
    check_length(path, FOLDER_LENGTH, FOLDER_TOO_LONG)
    return path


def how_moved(old: str, new: str) -> str:
    """Whether a file or folder with these paths before and after was given another name ("rename"),
    another name in another folder ("both"), or only another folder ("")."""
    if name_of(old) == name_of(new):
        return ""
    return "rename" if parent_of(old) == parent_of(new) else "both"
