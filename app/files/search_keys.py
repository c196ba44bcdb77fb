"""The keys by which files and folders are searched and sorted, by the same rule as cities."""

from app.database.stored_keys import StoredKeys
from app.files.folders.models import Folder
from app.files.folders.paths import name_of
from app.files.models import NAME_LENGTH, File
from app.text import search_key


def keys(folder: str, name: str) -> dict[str, str]:
    return {"name_key": name_key(name), "search_key": f"{folder_key(folder)}/{search_key(name)}"}


def name_key(name: str) -> str:
    return search_key(name)[:NAME_LENGTH]


def folder_key(path: str) -> str:
    """The key of a path part by part: when a folder is moved, the keys of what is below it change
    at their beginning only."""
    return "/".join(map(search_key, path.split("/")))


def folder_keys(path: str) -> dict[str, str]:
    return {"name_key": name_key(name_of(path))}


KEYS = StoredKeys(File, ("folder", "name"), keys)
FOLDER_KEYS = StoredKeys(Folder, ("path",), folder_keys)
