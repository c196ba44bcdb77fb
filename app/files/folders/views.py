"""Pages for folders: a new one; moving, renaming and removing files and folders."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from app.actor import Role
from app.current import actor, settings
from app.files.folders import queries, services
from app.files.folders.addresses import folder_url, list_before
from app.files.folders.checks import NoDestination
from app.files.folders.forms import FolderForm, MoveForm, PlaceForm
from app.files.folders.moving import Move
from app.files.folders.paths import how_moved, name_of, parent_of
from app.files.folders.selection import (
    Selected,
    Selection,
    check_may_change_all,
    load_selected,
    read_selection,
)
from app.files.models import File
from app.files.undo.results import BEHIND, count_message
from app.history.entries import undo_url
from app.text import join_sentences
from app.web.forms import submit
from app.web.notices import Notice
from app.web.permissions import role_required
from app.web.urls import page_before, safe_next

bp = Blueprint("folders", __name__)


@bp.get("/folders/<int:folder_id>")
@role_required()
def show_folder(folder_id: int) -> ResponseReturnValue:
    """Leads to the folder, wherever it was moved."""
    return redirect(folder_url(queries.load_folder(actor(), folder_id).path), 302)


@bp.route("/files/new-folder", methods=["GET", "POST"])
@role_required(Role.EDITOR)
def new_folder() -> ResponseReturnValue:
    """The form for a new folder in the folder `in`."""
    parent = request.args.get("in", "")
    if parent:
        parent = queries.find_folder(actor(), parent).path
    form = FolderForm()
    sent = submit(form, lambda: services.create_folder(actor(), parent, form.name.data or ""))
    if sent.done:
        Notice(_("%(name)s was created.", name=name_of(sent.result))).show()
        return redirect(folder_url(sent.result), 303)
    page = render_template("files/folders/new_folder.html", form=form, parent=parent)
    return page, sent.status


@bp.route("/files/move", methods=["GET", "POST"])
@role_required()
def move() -> ResponseReturnValue:
    """Moves what is selected to a folder; one file or folder also gets another name."""
    selection, selected = read_selected()
    form = place_form(selected)
    sent = submit(form, lambda: move_to(form, selection))
    if sent.done:
        moved_notice(sent.result).show()
        return redirect(folder_url(sent.result.folder), 303)
    folders = queries.suggest_folders(actor())
    page = selection_page("move", selection, selected, form=form, folders=folders)
    return page, sent.status


def move_to(form: PlaceForm, selection: Selection) -> services.Moved:
    """Moves what is selected; if there is no such folder, the form offers to create it to those who
    may."""
    create, place = "create" in request.form, form.folder.data or ""
    try:
        return services.move_selected(actor(), selection, place, form.new_name, create)
    except NoDestination:
        form.offers_folder = actor().may_write
        raise


@bp.route("/files/remove", methods=["GET", "POST"])
@role_required()
def remove() -> ResponseReturnValue:
    """Asks, saying how many files, or removes what is selected."""
    selection, selected = read_selected()
    if request.method == "POST":
        back = safe_next(request.form.get("next"), folder_url(place_of(selected)))
        removed_notice(services.remove_selected(actor(), selection)).show()
        return redirect(back, 303)
    count = queries.count_selected(actor(), selected)
    days = settings().removed_days
    return selection_page("remove", selection, selected, count=count, undo_days=days)


def read_selected() -> tuple[Selection, Selected]:
    """What is selected in the address, all of which the person may change."""
    selection = read_selection(request.args)
    selected = load_selected(actor(), selection)
    check_may_change_all(actor(), selected)
    return selection, selected


def selection_page(name: str, selection: Selection, selected: Selected, **more: Any) -> str:
    """The page that asks what to do with a selection."""
    return render_template(
        f"files/folders/{name}.html",
        selection=selection,
        selected=selected,
        what=what_of(selected),
        back=list_before(place_of(selected), [folder.path for folder in selected.folders]),
        **more,
    )


def place_form(selected: Selected) -> PlaceForm:
    """The form with the present place, and for a single one its name."""
    first = selected.all[0]
    folder = first.folder if isinstance(first, File) else first.parent
    if selected.single is None:
        return PlaceForm(data={"folder": folder})
    return MoveForm(data={"folder": folder, "name": first.name})


def place_of(selected: Selected) -> str:
    """The folder in which the first one is."""
    return parent_of(selected.paths[0])


def what_of(selected: Selected) -> str:
    return count_text(len(selected.folders), len(selected.files))


def count_text(folders: int, files: int) -> str:
    """How many folders and files, within a sentence."""
    texts = [
        ngettext("%(count)s folder", "%(count)s folders", folders, count=format_decimal(folders)),
        ngettext("%(count)s file", "%(count)s files", files, count=format_decimal(files)),
    ]
    if folders and files:
        return str(_("%(folders)s and %(files)s", folders=texts[0], files=texts[1]))
    return str(texts[0] if folders else texts[1])


def moved_notice(moved: services.Moved) -> Notice:
    """What was moved or renamed, without what was there already, with Undo for a single one."""
    if len(moved.moves) == 1:
        undo = undo_url(moved.entry_id) if moved.entry_id else ""
        return Notice(moved_text(moved.moves[0]), undo=undo)
    count, what = moved.folders + moved.files, count_text(moved.folders, moved.files)
    if not count:
        return Notice(_("Nothing was changed."))
    return Notice(ngettext("%(what)s was moved.", "%(what)s were moved.", count, what=what))


def moved_text(move: Move) -> str:
    """What was done with a single file or folder, by the name that it had."""
    name, new = name_of(move.old), name_of(move.new)
    how = how_moved(move.old, move.new)
    if how == "rename":
        return str(_("%(name)s is now called %(new)s.", name=name, new=new))
    folder = parent_of(move.new) or _("Files")
    if how == "both":
        text = _(
            "%(name)s was moved to %(folder)s and is now called %(new)s.",
            name=name,
            folder=folder,
            new=new,
        )
        return str(text)
    if move.old == move.new:
        return str(_("Nothing was changed."))
    return str(_("%(name)s was moved to %(folder)s.", name=name, folder=folder))


def removed_notice(removal: services.Removal) -> Notice:
    count, what = removal.folders + removal.files, count_text(removal.folders, removal.files)
    return Notice(
        ngettext("%(what)s was removed.", "%(what)s were removed.", count, what=what),
        undo=url_for("folders.restore_batch", batch_id=removal.batch_id),
    )


@bp.post("/files/batches/<batch_id>/restore")
@role_required()
def restore_batch(batch_id: str) -> ResponseReturnValue:
    """Restores what was removed together."""
    restored = services.restore_batch(actor(), batch_id)
    files, folders = len(restored.files), len(restored.tops)
    count, what = folders + files, count_text(folders, files)
    text = ngettext("%(what)s was restored.", "%(what)s were restored.", count, what=what)
    Notice(join_sentences([text, *count_message(BEHIND, restored.behind)])).show()
    return redirect(page_before(folder_url(restored.place)), 303)
