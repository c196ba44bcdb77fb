"""The application with one more view: the empty one, behind all hooks, that the others are
measured against."""

from app.wsgi import app

__all__ = ["app"]


@app.get("/empty")
def empty() -> str:
    """Nothing but the hooks."""
    return "ok"
