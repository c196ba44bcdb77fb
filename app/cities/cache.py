"""What the register caches: fragments of pages, the total, the names of provinces, statistics."""

from app.redis.cache import VersionedCache

CACHE = VersionedCache("gz:cities")
get_or_compute, invalidate = CACHE.get_or_compute, CACHE.invalidate
