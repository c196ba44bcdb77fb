"""The address of a folder, and the way to it, for views and templates."""

from collections.abc import Collection
from urllib.parse import unquote

from flask import url_for
from flask_babel import gettext as _

from app.files.folders.paths import ancestors, name_of
from app.web.urls import referring_page, safe_next


def folder_url(path: str) -> str:
    return url_for("files.list_files", folder=path or None)


def folder_crumbs(path: str) -> list[tuple[str, str]]:
    """Names and addresses of the root, of the folders on the way, and of the folder itself."""
    return [(_("Files"), folder_url("")), *((name_of(p), folder_url(p)) for p in ancestors(path))]


def list_before(folder: str, gone: Collection[str] = ()) -> str:
    """The URL of the list or folder from which the person comes, with its filters and page. From
    elsewhere, such as the page of a file or a folder that is `gone` then, that of a folder."""
    root, (path, target) = folder_url(""), referring_page()
    is_list = path == root or path.startswith(f"{root}/folders/")
    is_gone = unquote(path) in {unquote(folder_url(each)) for each in gone}
    return safe_next(target if is_list and not is_gone else "", folder_url(folder))
