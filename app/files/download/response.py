"""The HTTP side of a download: headers, conditions and ranges. The content is sent by nginx if
NGINX_SENDS_FILES=1, otherwise by the application."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.wsgi import wrap_file

from app.current import settings
from app.database.engine import release_connection
from app.errors import NotFound
from app.files.download import counting
from app.files.models import File
from app.files.storage.folder import BLOCK, path_of, read_blocks
from app.text import N_

ONE_RANGE = re.compile(r"bytes=(?P<first>\d{1,18})?-(?P<last>\d{1,18})?", re.IGNORECASE)
# What RFC 8187 allows unencoded in the extended form of a parameter.
ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def send(file: File) -> Response:
    """The response to a request for a file. No database connection is held while it is sent."""
    path = path_of(settings().files_dir, file.stored_name)
    if not path.exists():
        current_app.logger.error("the content of file %d is missing", file.id)
        raise NotFound(N_("The content of this file is missing. Tell your administrator."))
    file_id, length = file.id, file.size
    response = prepare_response(file, path)
    release_connection()
    if response.make_conditional(without_range(request.environ)).status_code in (304, 412):
        return response
    response.make_conditional(
        with_plain_range(request.environ), accept_ranges=True, complete_length=length
    )
    start = response.content_range.start if response.status_code == 206 else 0
    if response.status_code == 200:
        response.content_length = length
    if request.method == "HEAD":
        return response
    if start == 0:
        counting.count(file_id)
    send_it = send_by_nginx if settings().nginx_sends_files else send_directly
    return send_it(response, path)


def prepare_response(file: File, path: Path) -> Response:
    """Status and headers. A file is never a page: it is an attachment of a type from our own table,
    and should a browser show it all the same, it does so in a sandbox."""
    response = Response(iter(()), mimetype=None, content_type=file.content_type)
    response.automatically_set_content_length = False
    response.headers["Content-Disposition"] = attachment(file.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Accept-Ranges"] = "bytes"
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    response.set_etag(file.sha256)
    # The time that nginx reads from the file.
    response.last_modified = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return response


def attachment(name: str) -> str:
    """A Content-Disposition (RFC 6266): the name as it is, encoded as in RFC 8187, and a name in
    plain ASCII for programs that read only that."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    encoded = quote(name, safe=ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def without_range(environ: dict[str, Any]) -> dict[str, Any]:
    """The request without its Range: whether the client already has the file is decided before the
    range is (RFC 9110, 13.2.2)."""
    return {name: value for name, value in environ.items() if name != "HTTP_RANGE"}


def with_plain_range(environ: dict[str, Any]) -> dict[str, Any]:
    """The request with its Range if that is a single range of bytes in a GET. Several ranges, other
    units and a weak validator in If-Range are answered with the whole file, as in RFC 9110."""
    wanted = ONE_RANGE.fullmatch(environ.get("HTTP_RANGE", "").strip())
    first, last = wanted.group("first", "last") if wanted else (None, None)
    is_plain = bool(first or last) and not (first and last and int(first) > int(last))
    is_weak = environ.get("HTTP_IF_RANGE", "").strip().startswith("W/")
    if request.method == "GET" and is_plain and not is_weak:
        return environ
    return without_range(environ)


def send_by_nginx(response: Response, path: Path) -> Response:
    """Let nginx send the file from its internal location; it reads the range from the request."""
    where = path.relative_to(settings().files_dir).as_posix()
    response.status_code = 200
    for name in ("Content-Range", "Content-Length", "Accept-Ranges"):  # nginx adds its own
        response.headers.remove(name)
    response.headers["X-Accel-Redirect"] = quote(f"/_files/{where}")
    return response


def send_directly(response: Response, path: Path) -> Response:
    """Send the whole file with the server's file wrapper (sendfile in gunicorn), a range block by
    block."""
    if response.status_code == 206:
        part = response.content_range
        response.response = read_blocks(path, part.start or 0, part.stop)
    else:
        response.response = wrap_file(request.environ, path.open("rb"), BLOCK)
        response.direct_passthrough = True
    return response
