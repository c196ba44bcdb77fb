"""The HTTP side of a download or a preview: headers, conditions and ranges. The content is sent by
nginx if NGINX_SENDS_FILES=1, otherwise by the application."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from app.current import settings
from app.database.engine import release_connection
from app.files.download import counting
from app.files.download.conditions import check_conditions, requested_range
from app.files.models import File
from app.files.storage.folder import BLOCK, find_stored, open_stored, read_blocks, stat_stored

# What RFC 8187 allows unencoded in the extended form of a parameter.
ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
SANDBOX = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def send(file: File) -> Response:
    """The response to a request for a download, which is counted."""
    path = find_stored(settings().files_dir, file.stored_name)
    headers, file_id = download_headers(file), file.id
    return send_content(path, file.sha256, headers, lambda: counting.count(file_id))


def send_content(
    path: Path, etag: str, headers: Mapping[str, str], begun: Callable[[], object] | None = None
) -> Response:
    """The response to a request for a file in the storage folder; `begun` is called if it is sent
    from its first byte. No database connection is held in the meantime."""
    found = stat_stored(path)
    # The time that nginx reads from the file.
    modified = datetime.fromtimestamp(int(found.st_mtime), UTC)
    response = prepare_response(headers, etag, modified)
    release_connection()
    response.status_code = check_conditions(etag, modified)
    if response.status_code in (304, 412):
        return response
    part = requested_range(etag, modified, found.st_size)
    response.content_length = found.st_size if part is None else len(part)
    if request.method == "HEAD":
        return response
    if begun is not None and (part is None or part.start == 0):
        begun()
    if settings().nginx_sends_files:
        return send_by_nginx(response, path)
    return send_directly(response, path, found.st_size, part)


def prepare_response(headers: Mapping[str, str], etag: str, modified: datetime) -> Response:
    """Status and headers of every file that is sent, also of previews: its type is ours, and a
    browser opens it in a sandbox, if at all."""
    response = Response(iter(()), mimetype=None, headers=dict(SANDBOX))
    response.automatically_set_content_length = False
    response.headers.update(headers)
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(etag)
    response.last_modified = modified
    return response


def download_headers(file: File) -> dict[str, str]:
    """A download is never a page, but an attachment."""
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    return {
        "Content-Type": file.content_type,
        "Content-Disposition": disposition("attachment", file.name, file.id),
        "Repr-Digest": f"sha-256=:{digest}:",  # RFC 9530
    }


def disposition(kind: str, name: str, file_id: int | None = None) -> str:
    """A Content-Disposition (RFC 6266), attachment or inline: the name as it is, encoded as in RFC
    8187, and a name in plain ASCII for programs that read only that, with the id of a file, because
    other names would give the same."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    if plain != name:
        stem, dot, extension = plain.rpartition(".") if "." in plain[1:] else (plain, "", "")
        number = "" if file_id is None else f"-{file_id}"
        plain = f"{stem}{number}{dot}{extension}"
    encoded = quote(name, safe=ATTRIBUTE_CHARACTERS)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


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
        response.response = wrap_file(request.environ, open_stored(path), BLOCK)
        response.direct_passthrough = True
    return response
