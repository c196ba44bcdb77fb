"""What the lists of files cache: how many there are, and their total size.

Each folder is a part, with everything below it. A change of a file names its folder and those above
it, a list the folders that it counts. Moving, removing or restoring a folder changes the paths of
everything below it, so that is a change of all folders.
"""

from collections.abc import Iterable
from functools import partial

from app.database.service import after_commit
from app.files.folders.paths import ancestors
from app.redis.cache import SharedCache
from app.redis.scripts import Call

CACHE = SharedCache("gz:files")
get_or_compute, invalidate = CACHE.get_or_compute, CACHE.invalidate
ROOT = ""


def invalidate_folders(paths: Iterable[str], also: Call | None = None) -> None:
    """The running service changed files of these folders. Redis runs `also` in the same trip."""
    parts = {ROOT, *(each for path in paths for each in ancestors(path))}
    after_commit(partial(CACHE.invalidate, *parts, also=also))
