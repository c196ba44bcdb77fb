"""What the list of files caches: how many there are, and their total size."""

from app.redis.cache import SharedCache

CACHE = SharedCache("gz:files")
get_or_compute, invalidate = CACHE.get_or_compute, CACHE.invalidate
