"""The page "For scripts": lines to type for uploads and downloads, and their limits."""

from flask import Blueprint, render_template, request

from app.current import settings
from app.web.permissions import role_required

bp = Blueprint("scripts", __name__)

# Templates of plain text, which is escaped where the page shows it.
EXAMPLES = (
    "curl_upload",
    "curl_folder",
    "curl_download",
    "curl_by_number",
    "python_upload",
    "python_download",
)


@bp.get("/files/scripts")
@role_required()
def scripts() -> str:
    """The examples with the address of this server."""
    server = request.url_root.rstrip("/")
    return render_template(
        "files/scripts.html",
        examples={
            name: render_template(f"files/examples/{name}.txt", server=server) for name in EXAMPLES
        },
        limits=settings(),
    )
