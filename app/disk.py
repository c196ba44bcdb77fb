"""The disk: room for an upload, and who can read what is stored."""

import errno
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("gazetteer.disk")

# Reserved for databases and logs: uploads are refused while less of the disk or its inodes is free.
FREE_SHARE, FREE_BYTES = 0.05, 1_000_000_000
NOT_OTHERS, OWNER_ONLY = 0o7770, 0o600  # rights


def is_full(total: int, free: int, incoming: int = 0) -> bool:
    """True if less than 5 % or less than 1 GB would be free after `incoming` bytes."""
    return free - incoming < max(total * FREE_SHARE, FREE_BYTES)


def lacks_inodes(total: int, free: int) -> bool:
    """True if less than 5 % of the inodes are free: without one no file can be created, however
    many bytes are left. File systems that allocate inodes as needed (btrfs) report a total of 0."""
    return free < total * FREE_SHARE


def has_space(folder: Path, incoming: int = 0) -> bool:
    """True if one more file of this size may be stored in the folder. Why nothing at all can be
    written there is logged."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it is not writable", str(folder))
        usage, inodes = shutil.disk_usage(folder), os.statvfs(folder)
    except OSError as error:
        log.error("nothing can be stored in %s: %s", folder, error.strerror)
        return False
    if lacks_inodes(inodes.f_files, inodes.f_favail):
        return False
    return not is_full(usage.total, usage.free, incoming)


def limit_rights(path: Path, most: int) -> None:
    """Take rights away from other accounts. Those of a file that is not ours stay."""
    with suppress(FileNotFoundError, PermissionError):
        path.chmod(path.stat().st_mode & most)


def others_can_read(path: Path) -> bool:
    """True if every account of this machine can read a file or folder."""
    if not path.exists():
        return False
    return bool(path.stat().st_mode & 0o004) and all(
        parent.stat().st_mode & 0o001 for parent in path.parents
    )
