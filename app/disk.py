"""Whether the disk has room for what is coming in."""

import os
import shutil
from pathlib import Path

# Nothing is taken in while less of the disk, or of its inodes, is free: databases and logs need it.
FREE_SHARE, FREE_BYTES = 0.05, 1_000_000_000


def is_full(total: int, free: int, coming: int = 0) -> bool:
    """Whether a disk of `total` bytes with `free` ones left has no room for `coming` more: at
    least 5 % and 1 GB stay free."""
    return free - coming < max(total * FREE_SHARE, FREE_BYTES)


def lacks_inodes(total: int, free: int) -> bool:
    """Whether less than 5 % of the inodes are free: a disk without any takes no file, however many
    bytes it has left. File systems that make them as needed (btrfs) report a total of 0."""
    return free < total * FREE_SHARE


def has_space(folder: Path, coming: int = 0) -> bool:
    """Whether so many bytes may come in, as a file more."""
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    inodes = os.statvfs(folder)
    if lacks_inodes(inodes.f_files, inodes.f_favail):
        return False
    return not is_full(usage.total, usage.free, coming)
