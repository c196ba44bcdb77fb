"""The folder with the backups."""

import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from app.errors import Conflict, NotFound
from app.text import N_

NAME = re.compile(r"gazetteer-(\d{8}-\d{6})(?:-(\d+))?\.tar")
PART = ".part"
OWN_FOLDER = 0o700


def age_of(path: Path) -> tuple[str, int]:
    """When a backup was made, for sorting; of several in one second which it is."""
    found = NAME.fullmatch(path.name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def find_all(folder: Path) -> list[Path]:
    """The backups in the folder, the newest first."""
    found = [path for path in folder.glob("*.tar") if NAME.fullmatch(path.name)]
    return sorted(found, key=age_of, reverse=True)


def find(folder: Path, name: str | None) -> Path:
    """A backup by its name in the folder or its path; the newest without a name."""
    if name is None:
        found = find_all(folder)
        if not found:
            raise NotFound(N_("There are no backups in %(folder)s.", folder=str(folder)))
        return found[0]
    for path in (folder / name, Path(name)):
        if path.is_file():
            return path
    raise NotFound(N_("There is no backup %(name)s.", name=name))


def new_path(folder: Path, moment: datetime) -> Path:
    """The path of a backup that is made at this moment: a name that sorts after all others."""
    second = f"{moment:%Y%m%d-%H%M%S}"
    earlier = [number for stamp, number in map(age_of, find_all(folder)) if stamp == second]
    number = f"-{max(earlier) + 1}" if earlier else ""
    return folder / f"gazetteer-{second}{number}.tar"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create the folder, have it for ourselves, and delete what a killed process left there.
    Conflict if another process has it."""
    folder.mkdir(mode=OWN_FOLDER, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                N_("A backup is being made or restored. Try again when it is done.")
            ) from None
        for part in folder.glob(f"*{PART}*"):
            remove(part)
        yield
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def delete_old(folder: Path, retained: int, spared: Collection[str] = ()) -> list[str]:
    """Delete all but the newest backups; returns their names. One more is spared: the last that is
    known to restore."""
    old = [path for path in find_all(folder)[retained:] if path.name not in spared]
    for path in old:
        path.unlink(missing_ok=True)
    return [path.name for path in old]
