"""The address of a folder, and the way to it, for views and templates."""

from flask import url_for
from flask_babel import gettext as _

from app.files.folders.paths import ancestors, name_of


def folder_url(path: str) -> str:
    return url_for("files.list_files", folder=path or None)


def folder_crumbs(path: str) -> list[tuple[str, str]]:
    """Names and addresses of the root, of the folders on the way, and of the folder itself."""
    return [(_("Files"), folder_url("")), *((name_of(p), folder_url(p)) for p in ancestors(path))]
