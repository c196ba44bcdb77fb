"""The pages of shared files."""

from flask import Blueprint

from app.auth.guards import needs

bp = Blueprint("files", __name__)


@bp.get("/files")
@needs()
def list_files() -> str:
    """The list."""
    return "files"
