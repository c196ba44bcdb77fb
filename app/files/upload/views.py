"""Uploads, for pages and scripts, and the page of their results."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.actor import Role
from app.current import actor
from app.errors import DomainError
from app.files.plain_responses import FAILED, plain, refuse
from app.files.upload import results, services
from app.files.upload.request import BATCH, discard_body, receive
from app.files.upload.responses import answer_upload
from app.web.client import wants_page
from app.web.declarations import csrf_after_guard, declared, plain_refusals
from app.web.permissions import role_required
from app.web.posts.csrf import signer

bp = Blueprint("upload", __name__)
bp.register_error_handler(DomainError, refuse)
bp.register_error_handler(HTTPException, refuse)


@bp.after_request
def read_rest(response: AnyResponse) -> AnyResponse:
    """Read a refused upload of a member to its end, within limits, so that the client receives the
    reason."""
    is_ours = actor().has_role(Role.VIEWER) or signer() is not None
    if declared().plain_refusals is not None and is_ours:
        discard_body()
    return response


@bp.post("/upload", strict_slashes=False)
@csrf_after_guard
@plain_refusals(FAILED)
@role_required(Role.EDITOR)
def upload_file() -> Response:
    """One or many files in the field `file`, a folder in the field `folder`."""
    return answer_upload(*receive())


@bp.post("/upload/end")
@role_required(Role.EDITOR)
def end_upload() -> AnyResponse:
    """All files of the upload with the field `batch` were sent, or its rest was given up."""
    services.end_upload(actor(), request.form.get(BATCH, ""))
    return Response(status=204)


@bp.get("/upload", strict_slashes=False)
@plain_refusals(FAILED)
def explain_upload() -> AnyResponse:
    """Uploads are sent with POST; the form is on the page of files."""
    if wants_page():
        return redirect(url_for("files.list_files"), 302)
    text = _("Upload with POST as multipart/form-data, with the file in the field “file”.")
    response = plain(405, text)
    response.headers["Allow"] = "POST"
    return response


@bp.get("/upload_success")
@role_required()
def upload_success() -> str:
    """The results of one's upload, for some minutes after it; none without `?batch=`."""
    found = results.load(actor().person_id, request.args.get("batch", ""))
    return render_template(
        "files/upload/upload_success.html",
        minutes=results.RESULT_MINUTES,
        files=found.files,
        more=found.more,
    )
