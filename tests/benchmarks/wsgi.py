"""The application with an empty view, with which all others are compared."""

from app.numbers import services
from app.wsgi import app

__all__ = ["app"]

services.COMPUTATIONS_PER_MINUTE = 10**6  # they are measured, each by the same client


@app.get("/empty")
def empty() -> str:
    """An empty response, after all hooks."""
    return "ok"
