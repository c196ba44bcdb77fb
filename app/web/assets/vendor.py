"""Bootstrap's stylesheet and icons in static/vendor, which is not in the repository."""

import re
from importlib.resources import files
from pathlib import Path

from app.config import ROOT
from app.web.assets.static_files import STATIC

VENDOR = STATIC / "vendor"
ICON_SOURCES = ("templates/**/*.html", "static/js/**/*.js", "app/**/__init__.py")
SYMBOL = re.compile(r'(<symbol[^>]*? id="([^"]+)".*?</symbol>)', re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# In templates and scripts icon("name"), in Python the argument icon="name" of a navigation entry.
ICON = re.compile(r"""\bicon(?:\(\s*|=)["']([a-z0-9-]+)["']""")


def build() -> int:
    """Write Bootstrap's stylesheet and a sprite of the icons that we use; returns the number of
    icons."""
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
    if missing := [name for name in names if name not in symbols]:
        raise KeyError(f"Bootstrap Icons has no {', '.join(missing)}")
    body = "".join(symbols[name] for name in names)
    (VENDOR / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>\n')
    return len(names)


def icon_names() -> set[str]:
    """The icons that templates, scripts and navigation entries use."""
    paths = (path for pattern in ICON_SOURCES for path in ROOT.glob(pattern))
    texts = (COMMENT.sub("", path.read_text()) for path in paths)
    return {name for text in texts for name in ICON.findall(text)}
