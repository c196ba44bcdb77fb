"""Whether the disk has room for what is coming in."""

import shutil
from pathlib import Path

# Nothing is taken in while less than one of the two is free: databases and logs need it.
FREE_SHARE, FREE_BYTES = 0.05, 1_000_000_000


def is_full(total: int, free: int, coming: int = 0) -> bool:
    """Whether a disk of `total` bytes with `free` ones left has no room for `coming` more: at
    least 5 % and 1 GB stay free."""
    return free - coming < max(total * FREE_SHARE, FREE_BYTES)


def has_space(folder: Path, coming: int = 0) -> bool:
    """Whether so many bytes may come in."""
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    return not is_full(usage.total, usage.free, coming)
