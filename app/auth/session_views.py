"""The page that shows what a session is."""

from app.auth.guards import needs
from app.auth.views import bp


@bp.get("/session")
@needs()
def show_session() -> str:
    """The page."""
    return "session"
