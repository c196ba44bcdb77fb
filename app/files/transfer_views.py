"""Uploads and downloads, for pages and scripts, and the addresses of the original program."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.actor import Role
from app.current import actor
from app.errors import DomainError
from app.files import download_response, queries, upload_request, upload_responses, upload_results
from app.web.declarations import csrf_after_guard, declared, drains_body, plain_refusals
from app.web.error_pages import answer_http_error, answer_refusal
from app.web.negotiation import wants_page
from app.web.permissions import role_required

bp = Blueprint("transfers", __name__)


@bp.errorhandler(DomainError)
@bp.errorhandler(HTTPException)
def refuse(error: DomainError | HTTPException) -> AnyResponse:
    """Clients that name no media type get plain text at these addresses, not JSON."""
    known = isinstance(error, DomainError)
    response = answer_refusal(error) if known else answer_http_error(error)  # type: ignore[arg-type]
    if not (declared().plain_refusals and upload_responses.wants_plain()):
        return response
    return upload_responses.as_plain(response, error, declared().drains_body)


@bp.after_request
def read_rest(response: AnyResponse) -> AnyResponse:
    """Read a refused upload to its end, within limits, so that the client receives the reason."""
    if declared().drains_body:
        upload_request.discard_body()
    return response


@bp.post("/upload", strict_slashes=False)
@csrf_after_guard
@plain_refusals
@drains_body
@role_required(Role.EDITOR)
def upload_file() -> Response:
    """One or many files in the field `file`, a folder in the field `folder`."""
    results = upload_request.receive()
    return upload_responses.answer_upload(results, upload_request.has_file_part())


@bp.get("/upload", strict_slashes=False)
@plain_refusals
@drains_body
def explain_upload() -> AnyResponse:
    """Uploads are sent with POST; the form is on the page of files."""
    if wants_page():
        return redirect(url_for("files.list_files"), 302)
    text = _("Upload with POST as multipart/form-data, with the file in the field “file”.")
    response = upload_responses.plain(405, text)
    response.headers["Allow"] = "POST"
    return response


@bp.get("/upload_success")
@role_required()
def upload_success() -> str:
    """The results of one's upload, for some minutes after it; none without `?batch=`."""
    results = upload_results.load(actor().person_id, request.args.get("batch", ""))
    minutes = upload_results.RESULT_MINUTES
    return render_template("files/upload_success.html", minutes=minutes, **results)


@bp.get("/files/<int:file_id>")
@plain_refusals
@role_required()
def download_file(file_id: int) -> Response:
    """A file by id; each version has its own."""
    return download_response.send(queries.load_file(actor(), file_id))


@bp.get("/download")
@bp.get("/download/<path:name>")
@plain_refusals
@role_required()
def download_by_name(name: str = "") -> Response:
    """The newest file of a name, or the file of a stored name; also as `?filename=NAME`."""
    sent = name or request.args.get("filename", "")
    return download_response.send(queries.find_file(actor(), sent))


@bp.get("/list_files")
def old_list() -> AnyResponse:
    """The original program's address of the list."""
    return redirect(url_for("files.list_files"), 302)
