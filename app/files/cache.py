"""What the list of files keeps in Redis: how many there are, and their size together."""

from app.redis.cache import VersionedCache

TEXTS = VersionedCache("gz:files")
changed, kept = TEXTS.changed, TEXTS.kept
