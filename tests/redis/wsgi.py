"""The application, which shows the previous value however long a busy machine takes to compute."""

from app.redis import cache

cache.PREVIOUS_SECONDS, cache.WAIT_SECONDS = 600, 60

from app.wsgi import app  # noqa: E402

__all__ = ["app"]
