"""The pages for administrators."""

from app.auth.guards import needs
from app.auth.models import Role
from app.auth.views import bp


@bp.get("/people")
@needs(Role.ADMIN)
def list_people() -> str:
    """Everybody."""
    return "people"
