"""The addresses of previews. A browser shows what they send inside a page of ours; opened alone, it
is in a sandbox."""

from base64 import b64decode

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.current import actor
from app.errors import DomainError
from app.files import queries
from app.files.download.response import disposition, send_content
from app.files.preview import services
from app.files.preview.results import RETRY_SECONDS, Busy, NotShown, version
from app.web.client import wants_page
from app.web.declarations import attachment
from app.web.error_pages import answer_refusal
from app.web.permissions import role_required

bp = Blueprint("preview", __name__)

# Our pages may frame them, others may not.
FRAMED = {"X-Frame-Options": "SAMEORIGIN"}
ANCESTORS = "frame-ancestors 'self'"
# The content behind an address with the current version never changes; with another cookie it may
# be another person's.
CACHED = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie"}
CHECKED = {**CACHED, "Cache-Control": "private, no-cache"}
RETRIED = {**CACHED, "Cache-Control": f"private, max-age={RETRY_SECONDS}"}
NOT_CACHED = {"Cache-Control": "no-store"}
# Transparent WebP pictures. The width says which it is to static/js/thumbnails.js.
EMPTY_PICTURE = b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
NOT_YET_PICTURE = b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAQAAEAcQERGIiP4HAA==")


@bp.url_defaults
def add_version(_endpoint: str, values: dict[str, object]) -> None:
    """Every address of a preview has the version of the code that makes and checks it, so that no
    browser shows for a year what another release let through."""
    values["v"] = version()


@bp.errorhandler(DomainError)
def refuse(error: DomainError) -> Response:
    """A sentence in the place of the preview, where it is in a frame of the file's page."""
    refusal = answer_refusal(error)
    if not wants_page() or error.status not in (422, 503):
        return refusal
    page = make_response(render_template("files/preview/not_shown.html", message=error.message))
    page.status_code = error.status
    page.headers.update(FRAMED, **error.headers)
    page.headers["Content-Security-Policy"] = f"default-src 'none'; style-src 'self'; {ANCESTORS}"
    return page


@bp.get("/files/<int:file_id>/preview/<name>")
@attachment(lambda file_id, name: url_for("files.show_file", file_id=file_id))
@role_required()
def show_preview(file_id: int, name: str) -> Response:
    """A document, audio or video; it is not counted as a download. The name in the address is the
    one that the browser's viewer of documents shows."""
    file = queries.load_file(actor(), file_id)
    etag, real_name = file.sha256, file.name
    path, content_type = services.find_preview(actor(), file)
    return send_content(path, etag, preview_headers(content_type, real_name, file_id))


@bp.get("/files/<int:file_id>/picture/<int:size>")
@attachment(lambda file_id, size: url_for("files.show_file", file_id=file_id))
@role_required()
def show_picture(file_id: int, size: int) -> Response:
    """A picture in a small size. In lists, where an icon is below it, one that cannot be made,
    or not yet, is transparent."""
    file = queries.load_file(actor(), file_id)
    etag, name = f"{file.sha256}-{size}-{version()}", file.name
    try:
        path = services.find_picture(actor(), file, size)
    except (NotShown, Busy) as error:
        if size != services.SMALL:
            raise
        # Not cached as one that was made: what failed may be tried again.
        busy = isinstance(error, Busy)
        picture, cached = (NOT_YET_PICTURE, NOT_CACHED) if busy else (EMPTY_PICTURE, RETRIED)
        return Response(picture, headers={**cached, "Content-Type": "image/webp"})
    return send_content(path, etag, preview_headers("image/webp", f"{name}.webp", file_id))


def preview_headers(content_type: str, name: str, file_id: int) -> dict[str, str]:
    return {
        **FRAMED,
        **(CACHED if request.args.get("v") == version() else CHECKED),
        "Content-Type": content_type,
        "Content-Disposition": disposition("inline", name, file_id),
        "Content-Security-Policy": f"default-src 'none'; sandbox; {ANCESTORS}",
    }
