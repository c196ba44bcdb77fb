"""The HTTP side of a download: headers, conditions and ranges. The content is sent by nginx if
NGINX_SENDS_FILES=1, otherwise by the application."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.wsgi import wrap_file

from app.current import settings
from app.database.engine import release_connection
from app.errors import NotFound
from app.files.download import counting
from app.files.download.conditions import check_conditions, requested_range
from app.files.models import File
from app.files.storage.folder import BLOCK, path_of, read_blocks
from app.text import N_

# What RFC 8187 allows unencoded in the extended form of a parameter.
ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def send(file: File) -> Response:
    """The response to a request for a file. No database connection is held while it is sent."""
    path = path_of(settings().files_dir, file.stored_name)
    if not path.exists():
        current_app.logger.error("the content of file %d is missing", file.id)
        raise NotFound(N_("The content of this file is missing. Tell your administrator."))
    # The time that nginx reads from the file.
    modified = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    file_id, etag, length = file.id, file.sha256, file.size
    response = prepare_response(file, modified)
    release_connection()
    response.status_code = check_conditions(etag, modified)
    if response.status_code in (304, 412):
        return response
    part = requested_range(etag, modified, length)
    response.content_length = length if part is None else len(part)
    if request.method == "HEAD":
        return response
    if part is None or part.start == 0:
        counting.count(file_id)
    if settings().nginx_sends_files:
        return send_by_nginx(response, path)
    return send_directly(response, path, length, part)


def prepare_response(file: File, modified: datetime) -> Response:
    """Status and headers. A file is never a page: it is an attachment of a type from our own table,
    and should a browser show it all the same, it does so in a sandbox."""
    response = Response(iter(()), mimetype=None, content_type=file.content_type)
    response.automatically_set_content_length = False
    response.headers["Content-Disposition"] = attachment(file.name, file.id)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Accept-Ranges"] = "bytes"
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    response.set_etag(file.sha256)
    response.last_modified = modified
    return response


def attachment(name: str, file_id: int) -> str:
    """A Content-Disposition (RFC 6266): the name as it is, encoded as in RFC 8187, and a name in
    plain ASCII for programs that read only that, with the id where other names would give the
    same."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    if plain != name:
        stem, dot, extension = plain.rpartition(".") if "." in plain[1:] else (plain, "", "")
        plain = f"{stem}-{file_id}{dot}{extension}"
    encoded = quote(name, safe=ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def send_by_nginx(response: Response, path: Path) -> Response:
    """Let nginx send the file from its internal location; it reads the range from the request."""
    where = path.relative_to(settings().files_dir).as_posix()
    for name in ("Content-Length", "Accept-Ranges"):  # nginx adds its own
        response.headers.remove(name)
    response.headers["X-Accel-Redirect"] = quote(f"/_files/{where}")
    return response


def send_directly(response: Response, path: Path, length: int, part: range | None) -> Response:
    """Send the whole file with the server's file wrapper (sendfile in gunicorn), a range block by
    block."""
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{length}"
        response.response = read_blocks(path, part.start, part.stop)
    else:
        response.response = wrap_file(request.environ, path.open("rb"), BLOCK)
        response.direct_passthrough = True
    return response
