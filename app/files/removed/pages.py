"""The pages at the addresses of removed files and folders, for those who may restore them. Others,
and scripts, get the NotFound of what was asked for."""

from flask import render_template

from app.current import actor, settings
from app.errors import NotFound
from app.files.folders.addresses import folder_crumbs
from app.files.preview.kinds import type_name
from app.files.removed import queries
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.web.client import wants_page


def removed_file_page(file_id: int, about_versions: int, missing: NotFound) -> str:
    """A removed file: who removed it and when, its facts and history, and Restore. Its content is
    neither shown nor sent."""
    row = queries.find_removed(actor(), file_id) if wants_page() else None
    if row is None:
        raise missing
    ids = queries.list_removed_with(actor(), row.File, about_versions)
    entries = entries_about(actor(), "file", file_id, others=ids)
    return render_template(
        "files/removed/show_removed.html",
        file=row.File,
        remover=row.remover,
        kind=type_name(row.File.extension),
        days=settings().removed_days,
        feed=describe_feed(actor(), entries, about=True),
    )


def removed_folder_page(path: str, missing: NotFound) -> str:
    """A removed folder: how many of its files can be restored, with a link to them."""
    count = queries.count_in_folder(actor(), path) if wants_page() else 0
    if not count:
        raise missing
    parent, _slash, name = path.rpartition("/")
    return render_template(
        "files/removed/show_removed_folder.html",
        path=path,
        name=name,
        count=count,
        crumbs=folder_crumbs(parent),
    )
