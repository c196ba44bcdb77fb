"""Static files with a content hash in the URL, /static/HASH/PATH, which browsers cache for ever.

There is one hash for the whole folder, so that files can refer to each other by relative paths.
They are sent from a copy, `INSTANCE/static/HASH/`: the checkout may already have the files of the
next release while workers of this one still run. The folder `vendor` is not in the repository; it
is filled at install time from the package Bootstrap-Flask.
"""

import hashlib
import re
import shutil
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, send_from_directory

from app.config import ROOT
from app.current import settings
from app.web.declarations import without_session

STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
BUILD = re.compile("[0-9a-f]{12}")
BUILDS_MAX = 5  # including the current one; pages of earlier releases may still be open
SYMBOL = re.compile(r'(<symbol[^>]*? id="([^"]+)".*?</symbol>)', re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# In templates and scripts icon("name"), in Python the argument icon="name" of a navigation entry.
ICON = re.compile(r"""\bicon(?:\(\s*|=)["']([a-z0-9-]+)["']""")


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
        try:
            copy.rename(build)
        except OSError:  # it exists already
            if not build.is_dir():
                raise
    build.touch()
    newest_first = sorted(builds.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest_first[BUILDS_MAX:]:
        shutil.rmtree(old, ignore_errors=True)


@without_session
def send(build: str, path: str) -> Response:
    """Send a static file: from the copy of its build, as immutable; if there is no copy, the
    current file, which browsers have to revalidate. nginx sends the copies by itself."""
    copy = settings().instance / "static" / build
    if BUILD.fullmatch(build) and copy.is_dir():
        response = send_from_directory(copy, path)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response = send_from_directory(STATIC, path)
        response.headers["Cache-Control"] = "no-cache"
    return response


def build() -> int:
    """Fill `vendor` with Bootstrap's stylesheet and a sprite of the icons that we use; returns the
    number of icons."""
    package = Path(str(files("flask_bootstrap"))) / "static" / "bootstrap5"
    VENDOR.mkdir(parents=True, exist_ok=True)
    stylesheet = (package / "css" / "bootstrap.min.css").read_text()
    # The source map is not copied.
    stylesheet = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", stylesheet)
    # Our Content-Security-Policy blocks data: images, with an error in the console if this
    # stylesheet is applied before ours has loaded.
    stylesheet = re.sub(r'url\("data:[^"]*"\)', "none", stylesheet)
    (VENDOR / "bootstrap.min.css").write_text(stylesheet)
    sprite = (package / "icons" / "bootstrap-icons.svg").read_text()
    symbols = {name: text for text, name in SYMBOL.findall(sprite)}
    names = sorted(icon_names())
    missing = [name for name in names if name not in symbols]
    if missing:
        raise KeyError(f"Bootstrap Icons has no {', '.join(missing)}")
    body = "".join(symbols[name] for name in names)
    (VENDOR / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>\n')
    return len(names)


def icon_names() -> set[str]:
    """The icons that templates, scripts and navigation entries use."""
    sources = [
        *(ROOT / "templates").rglob("*.html"),
        *(STATIC / "js").rglob("*.js"),
        *(ROOT / "app").glob("*/__init__.py"),
    ]
    texts = (COMMENT.sub("", path.read_text()) for path in sources)
    return {name for text in texts for name in ICON.findall(text)}


def init_app(app: Flask) -> None:
    """Register the URL, which replaces Flask's own `/static/PATH`."""
    app.add_url_rule("/static/<build>/<path:path>", "static", send)
