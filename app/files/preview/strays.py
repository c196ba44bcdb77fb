"""Deleting previews that nobody needs any more."""

import time
from contextlib import suppress
from pathlib import Path

from app.files.storage.folder import STORED, path_of

# A preview by another version may still be in use for this long: by a release that is being
# replaced.
OTHER_VERSION_SECONDS = 24 * 3600


def remove_strays(folder: Path, version: str) -> int:
    """Delete previews whose file was deleted while they were made, and those of earlier versions;
    returns how many. Each hour it looks into another quarter of the folders."""
    quarter, count = int(time.time() // 3600) % 4, 0
    digits = "0123456789abcdef"[quarter::4]
    for path in (folder / "previews").glob(f"*/[{digits}]?/*"):
        outdated = not path.parent.parent.name.endswith(f"-{version}")
        if STORED.fullmatch(path.name) and is_stray(folder, path, outdated):
            path.unlink(missing_ok=True)
            count += 1
            if outdated:  # in a folder of this version somebody may be about to store another
                with suppress(OSError):  # unless there is something else in them
                    path.parent.rmdir()
                    path.parent.parent.rmdir()
    return count


def is_stray(folder: Path, preview: Path, outdated: bool) -> bool:
    """Whether nobody needs a preview: of a file that is gone, or by an earlier version."""
    if not path_of(folder, preview.name).exists():
        return True
    try:
        return outdated and preview.stat().st_mtime < time.time() - OTHER_VERSION_SECONDS
    except FileNotFoundError:
        return False  # it was deleted just now
