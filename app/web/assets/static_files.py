"""Static files with a content hash in the URL, /static/HASH/PATH, which browsers cache for ever.

There is one hash for the whole folder, so that files can refer to each other by relative paths.
They are sent from a copy, `INSTANCE/static/HASH/`: the checkout may already have the files of the
next release while workers of this one still run.
"""

import gzip
import hashlib
import mimetypes
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from flask import Response, request, send_from_directory
from werkzeug.security import safe_join

from app.config import ROOT
from app.current import settings
from app.web.declarations import without_session

STATIC = ROOT / "static"
BUILD = re.compile("[0-9a-f]{12}")
BUILDS_MAX = 5  # including the current one; pages of earlier releases may still be open
COMPRESSED = (".css", ".js", ".svg")
COMPRESSED_LEAST = 1000  # bytes; smaller files fit into the first packet anyway


@cache
def content_hash() -> str:
    """The hash of the static files, computed once per process."""
    return hash_of(STATIC)


def hash_of(folder: Path) -> str:
    """Hash the names and contents of all files in a folder to 12 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(path: str) -> str:
    """The URL of a static file."""
    return f"/static/{content_hash()}/{path}"


def copy_build(instance: Path) -> None:
    """Copy the static files to the folder named after their hash, and remove the oldest copies."""
    builds = instance / "static"
    builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=instance) as draft:
        copy = Path(shutil.copytree(STATIC, Path(draft) / "static"))
        build = builds / hash_of(copy)
        compress(copy)
        try:
            copy.rename(build)
        except OSError:  # it exists already
            if not build.is_dir():
                raise
    build.touch()
    newest_first = sorted(builds.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest_first[BUILDS_MAX:]:
        shutil.rmtree(old, ignore_errors=True)


def compress(folder: Path) -> None:
    """Write a compressed copy beside each text file, for clients without nginx in front."""
    for path in folder.rglob("*"):
        if path.suffix in COMPRESSED and path.stat().st_size >= COMPRESSED_LEAST:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


@without_session
def send(build: str, path: str) -> Response:
    """Send a static file: from the copy of its build, as immutable; if there is no copy, the
    current file, which browsers have to revalidate. nginx sends the copies by itself."""
    copy = settings().instance / "static" / build
    if BUILD.fullmatch(build) and copy.is_dir():
        response = send_copy(copy, path)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response = send_from_directory(STATIC, path)
        response.headers["Cache-Control"] = "no-cache"
    return response


def send_copy(folder: Path, path: str) -> Response:
    """Send a file of a build, compressed if there is such a copy and the client accepts it. Pages
    are never compressed: see nginx.conf."""
    compressed = safe_join(str(folder), f"{path}.gz")
    if compressed is None or not Path(compressed).is_file():
        return send_from_directory(folder, path)
    if request.accept_encodings.quality("gzip"):
        mimetype = mimetypes.guess_type(path)[0]
        response = send_from_directory(folder, f"{path}.gz", mimetype=mimetype)
        response.content_encoding = "gzip"
    else:
        response = send_from_directory(folder, path)
    response.vary.add("Accept-Encoding")
    return response
