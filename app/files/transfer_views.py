"""Uploads and downloads, for pages and for scripts, and the addresses of the original."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.actor import Role
from app.current import actor
from app.errors import DomainError
from app.files import download_response, services, upload_request, upload_responses, upload_results
from app.web.declarations import csrf_after_guard, declared, drains_body, plain_refusals
from app.web.error_pages import answer_http_error, answer_refusal
from app.web.negotiation import wants_page
from app.web.permissions import role_required

bp = Blueprint("transfers", __name__)


@bp.errorhandler(DomainError)
@bp.errorhandler(HTTPException)
def refuse(error: DomainError | HTTPException) -> AnyResponse:
    """Scripts that name no type read plain text at these addresses, not JSON."""
    known = isinstance(error, DomainError)
    response = answer_refusal(error) if known else answer_http_error(error)  # type: ignore[arg-type]
    if not (declared().plain_refusals and upload_responses.wants_plain()):
        return response
    return upload_responses.as_plain(response, error, declared().drains_body)


@bp.after_request
def read_rest(response: AnyResponse) -> AnyResponse:
    """A refused upload is read to its end, within bounds, so that the client hears why."""
    if declared().drains_body:
        upload_request.drain()
    return response


@bp.post("/upload", strict_slashes=False)
@csrf_after_guard
@plain_refusals
@drains_body
@role_required(Role.EDITOR)
def upload_file() -> Response:
    """One or many files in the field `file`, a folder in the field `folder`."""
    outcomes = upload_request.receive()
    return upload_responses.answer_upload(outcomes, upload_request.has_file_part())


@bp.get("/upload", strict_slashes=False)
@plain_refusals
@drains_body
def explain_upload() -> AnyResponse:
    """Uploads are sent by POST; people find the form on the page of files."""
    if wants_page():
        return redirect(url_for("files.list_files"), 302)
    text = _("Upload with POST, as multipart/form-data, the file in the field “file”.")
    response = upload_responses.plain(405, text)
    response.headers["Allow"] = "POST"
    return response


@bp.get("/upload_success")
@role_required()
def upload_success() -> str:
    """What became of one's upload, for some minutes after it; without `?batch=` of nothing."""
    done = upload_results.recall(actor().person_id, request.args.get("batch", ""))
    return render_template("files/upload_success.html", minutes=upload_results.KEPT_MINUTES, **done)


@bp.get("/files/<int:file_id>")
@plain_refusals
@role_required()
def download_file(file_id: int) -> Response:
    """A file by its id; older versions have ids of their own."""
    return download_response.send(services.get_file(file_id))


@bp.get("/download")
@bp.get("/download/<path:name>")
@plain_refusals
@role_required()
def download_by_name(name: str = "") -> Response:
    """The newest file of a name; also as `?filename=NAME`, and by its stored name."""
    return download_response.send(services.find_by_name(name or request.args.get("filename", "")))


@bp.get("/list_files")
def old_list() -> AnyResponse:
    """The original's address of the list."""
    return redirect(url_for("files.list_files"), 302)
