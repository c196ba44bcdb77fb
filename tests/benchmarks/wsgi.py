"""The application with an empty view, with which all others are compared."""

from app.wsgi import app

__all__ = ["app"]


@app.get("/empty")
def empty() -> str:
    """An empty response, after all hooks."""
    return "ok"
