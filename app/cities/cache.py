"""What the register keeps in Redis: drawn fragments, the total, the names of provinces, figures."""

from app.redis.cache import VersionedCache

TEXTS = VersionedCache("gz:cities")
changed, kept = TEXTS.changed, TEXTS.kept
