"""Static files by content hash: /static/<hash of all of them>/<path>, cached by browsers for ever.

One hash for the whole folder, so that files may refer to each other by relative paths. What is
cached for ever is sent from a copy under that hash, `INSTANCE/static/<hash>/`: the checkout may
already have the files of the next release while workers of this one still write pages. The folder
`vendor` is filled at install time from the package Bootstrap-Flask; it is not in the repository.
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
BUILDS_MAX = 5  # the current one included; pages of earlier releases may still be open
SYMBOL = re.compile(r'(<symbol[^>]*? id="([^"]+)".*?</symbol>)', re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# In templates and scripts a call, in Python the argument of a navigation entry.
ICON = re.compile(r"""\bicon(?:\(\s*|=)["']([a-z0-9-]+)["']""")


@cache
def content_hash() -> str:
    """The hash of the static files; read once per process."""
    return hash_of(STATIC)


def hash_of(folder: Path) -> str:
    """12 hex digits over the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(path: str) -> str:
    """The URL of a static file with its current content."""
    return f"/static/{content_hash()}/{path}"


def copy_build(instance: Path) -> None:
    """Copy the static files as they are now to the folder named after their hash, and remove the
    oldest of such copies."""
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
    """A static file: immutable from the copy of its build; without a copy as it is now, to be
    revalidated. nginx sends the copies itself and asks us for the rest."""
    copy = settings().instance / "static" / build
    if BUILD.fullmatch(build) and copy.is_dir():
        response = send_from_directory(copy, path)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response = send_from_directory(STATIC, path)
        response.headers["Cache-Control"] = "no-cache"
    return response


def build() -> int:
    """Fill `vendor`: Bootstrap's stylesheet, and one sprite of the icons that our templates and
    scripts name. Returns the number of icons."""
    package = Path(str(files("flask_bootstrap"))) / "static" / "bootstrap5"
    VENDOR.mkdir(parents=True, exist_ok=True)
    stylesheet = (package / "css" / "bootstrap.min.css").read_text()
    # The map it refers to is not copied.
    stylesheet = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", stylesheet)
    # Our Content-Security-Policy refuses inline images, with an error in the console whenever this
    # stylesheet is applied before our own has loaded.
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
    """All icons that templates, page scripts and navigation entries name."""
    sources = [
        *(ROOT / "templates").rglob("*.html"),
        *(STATIC / "js").rglob("*.js"),
        *(ROOT / "app").glob("*/__init__.py"),
    ]
    texts = (COMMENT.sub("", path.read_text()) for path in sources)
    return {name for text in texts for name in ICON.findall(text)}


def init_app(app: Flask) -> None:
    """Register the URL; Flask's own `/static/...` is off."""
    app.add_url_rule("/static/<build>/<path:path>", "static", send)
