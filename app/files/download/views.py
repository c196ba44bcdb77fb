"""Downloads, for pages and scripts."""

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import HTTPException

from app.current import actor
from app.errors import DomainError
from app.files import queries
from app.files.download.response import send
from app.files.plain_responses import MISSING, refuse
from app.web.declarations import attachment, plain_refusals
from app.web.permissions import role_required

bp = Blueprint("download", __name__)
bp.register_error_handler(DomainError, refuse)
bp.register_error_handler(HTTPException, refuse)


@bp.get("/files/<int:file_id>")
@plain_refusals(MISSING)
@attachment(lambda file_id: url_for("files.show_file", file_id=file_id))
@role_required()
def download_file(file_id: int) -> Response:
    """A file by id; each version has its own."""
    return send(queries.load_file(actor(), file_id))


@bp.get("/download")
@bp.get("/download/<path:name>")
@plain_refusals(MISSING)
@attachment(lambda name="": url_for("files.list_files", q=name or None))
@role_required()
def download_by_name(name: str = "") -> Response:
    """The newest file of a name, or the file of a stored name; also as `?filename=NAME`."""
    sent = name or request.args.get("filename", "")
    return send(queries.find_file(actor(), sent))
