"""The pages at the addresses of removed files and folders, for those who may restore them. Others,
and scripts, get the NotFound of what was asked for."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.current import actor, settings
from app.errors import NotFound
from app.files.folders.addresses import folder_crumbs
from app.files.preview.kinds import type_name
from app.files.removed import queries
from app.files.removed.folders import files_at
from app.files.undo.folders import find_folder_removal
from app.history.entries import undo_url
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.web.client import wants_page


def removed_file_page(file_id: int, about_versions: int, missing: NotFound) -> ResponseReturnValue:
    """A removed file: who removed it and when, its facts and history, and Restore. Its content is
    neither shown nor sent. The address of a version that was removed alone leads to the current
    one."""
    current = queries.find_remaining(actor(), file_id) if wants_page() else None
    if current is not None:
        return redirect(url_for("files.show_file", file_id=current), 302)
    row = queries.find_removed(actor(), file_id) if wants_page() else None
    if row is None:
        raise missing
    ids = queries.list_removed_with(actor(), row.File, about_versions)
    entries = entries_about(actor(), "file", file_id, others=ids)
    page = render_template(
        "files/removed/show_removed.html",
        file=row.File,
        remover=row.remover,
        kind=type_name(row.File.extension),
        days=settings().removed_days,
        feed=describe_feed(actor(), entries, about=True),
    )
    return page, missing.status


def removed_folder_page(path: str, missing: NotFound) -> ResponseReturnValue:
    """A removed folder, also an empty one: Restore, and how many of its files can be restored, with
    a link to them."""
    if not wants_page():
        raise missing
    count = queries.count_in_folder(actor(), path)
    removal = find_folder_removal(actor(), path)
    file_id = files_at([path]).get(path)
    if not count and removal is None:
        raise missing
    parent, _slash, name = path.rpartition("/")
    page = render_template(
        "files/removed/show_removed_folder.html",
        path=path,
        name=name,
        count=count,
        file_id=file_id,
        undo=undo_url(removal) if removal and not file_id else "",
        days=settings().removed_days,
        crumbs=folder_crumbs(parent),
    )
    return page, missing.status
