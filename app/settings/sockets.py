"""Unix sockets of this instance."""

import hashlib
import os
import tempfile
from pathlib import Path


def short_socket(instance: Path, name: str) -> Path:
    """The path of a unix socket of this instance. Such a path may have about 107 bytes, and
    supervisor appends some while it starts, so the sockets of a long path are in a private folder
    under the system's temporary folder."""
    path = instance / name
    if len(os.fsencode(path)) <= 96:
        return path
    digest = hashlib.sha256(os.fsencode(instance)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"gazetteer-{os.getuid()}-{digest}" / path.name


def redis_socket(instance: Path) -> Path:
    """The socket of the private Redis."""
    return short_socket(instance, "redis/redis.sock")
