"""The keys by which files are searched and sorted, by the same rule as cities."""

from app.database.stored_keys import StoredKeys
from app.files.models import NAME_LENGTH, File
from app.text import search_key


def keys(folder: str, name: str) -> dict[str, str]:
    return {
        "name_key": search_key(name)[:NAME_LENGTH],
        "search_key": search_key(f"{folder}/{name}"),
    }


KEYS = StoredKeys(File, ("folder", "name"), keys)
