"""Downloads of a folder or a selection as a zip file."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import get_timezone
from werkzeug.exceptions import HTTPException

from app.concurrency import yield_to_hub
from app.current import actor, settings
from app.database.engine import release_connection
from app.errors import DomainError, NotFound
from app.files.download.response import disposition
from app.files.folders.models import Folder
from app.files.folders.paths import name_of
from app.files.folders.queries import find_folder
from app.files.folders.selection import Selected, load_selected, read_selection
from app.files.plain_responses import MISSING, refuse
from app.files.storage.folder import path_of, read_blocks
from app.files.zipping import queries
from app.files.zipping.format import ZipEntry, length_of, write_zip
from app.files.zipping.names import ZipNames
from app.text import N_
from app.web.declarations import attachment, plain_refusals
from app.web.permissions import role_required

bp = Blueprint("zip", __name__)
bp.register_error_handler(DomainError, refuse)
bp.register_error_handler(HTTPException, refuse)


@bp.get("/files/zip")
@bp.get("/files/zip/<path:folder>")
@plain_refusals(MISSING)
@attachment(lambda folder="": url_for("files.list_files", folder=folder or None))
@role_required()
def download_zip(folder: str = "") -> Response:
    """The selection of the address, or else the folder with everything in it, or all files."""
    selected = find_selected(folder)
    base = queries.base_of(selected)
    files, folders = queries.list_contents(actor(), base, selected)
    name = selected.single.name if selected.single else name_of(base)
    release_connection()
    return send_zip(make_entries(files, folders), f"{name or 'files'}.zip")


def find_selected(folder: str) -> Selected:
    selection = read_selection(request.args)
    if selection.files or selection.folders:
        return load_selected(actor(), selection)
    if folder:
        return Selected([], [find_folder(actor(), folder)])
    return Selected([], [Folder(path="")])  # all that is in the root


def make_entries(
    files: Iterable[queries.ZippedFile], folders: Iterable[tuple[str, datetime]]
) -> list[ZipEntry]:
    """The entries in the order in which they are sent: the folders, then the files."""
    names, zone, entries = ZipNames(), get_timezone(), []
    for path, moment in folders:
        name = names.of_folder(path).encode()
        entries.append(ZipEntry(name, 0, moment, moment.astimezone(zone)))
        yield_to_hub()
    for file in files:
        check_content(file)
        name = names.of_file(file.folder, file.name).encode()
        moment = file.created_at
        entry = ZipEntry(name, file.size, moment, moment.astimezone(zone), file.stored_name)
        entries.append(entry)
        yield_to_hub()
    return entries


def check_content(file: queries.ZippedFile) -> None:
    """Refuse what would break the download in its middle."""
    if not path_of(settings().files_dir, file.stored_name).exists():
        current_app.logger.error("the content %s is missing", file.stored_name)
        text = N_("The content of %(name)s is missing. Tell your administrator.", name=file.name)
        raise NotFound(text)


def send_zip(entries: list[ZipEntry], name: str) -> Response:
    """The response. No connection to the database is held while it is sent; if a file cannot be
    read, the connection to the client breaks, which the client notices by the length."""
    content = write_zip(entries, partial(read_entry, settings().files_dir))
    response = Response(content, mimetype="application/zip")
    response.content_length = length_of(entries)
    response.headers["Content-Disposition"] = disposition("attachment", name)
    response.headers["X-Accel-Buffering"] = "no"  # nginx would write up to a gigabyte to its disk
    return response


def read_entry(files_dir: Path, entry: ZipEntry) -> Iterable[bytes]:
    return read_blocks(path_of(files_dir, entry.source), stop=entry.size)
