"""The cache of the list of files: how many there are, and their total size."""

from app.redis.cache import VersionedCache

TEXTS = VersionedCache("gz:files")
changed, kept = TEXTS.changed, TEXTS.kept
