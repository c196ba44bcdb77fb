"""What members see of a file in its page and in lists."""

from dataclasses import dataclass
from pathlib import Path

from app.actor import Actor, Role
from app.current import settings
from app.database.service import permitted
from app.errors import DomainError, NotFound
from app.files.models import File
from app.files.preview.kinds import HEAD, NOTHING, PreviewKind, has_thumbnail, kind_of
from app.files.preview.results import PROBLEMS, NotShown, find_problem, get_or_generate
from app.files.preview.texts import TextPreview, read_text
from app.files.storage.folder import find_stored, open_stored
from app.text import N_, Message

# Pixels: in a list, and at most in the page of a file.
SMALL, LARGE = 64, 1200
SIZES = (SMALL, LARGE)


@dataclass(frozen=True)
class Preview:
    """How a file is shown in its page, or the `problem` why it is not."""

    shown_as: str
    problem: Message | str | None = None
    text: TextPreview | None = None


def find_kind(file: File) -> tuple[Path, PreviewKind]:
    """The stored file, and how it can be shown by its first bytes."""
    path = find_stored(settings().files_dir, file.stored_name)
    with open_stored(path) as content:
        return path, kind_of(file.extension, content.read(HEAD))


@permitted(Role.VIEWER)
def show(actor: Actor, file: File) -> Preview:
    """What the page of a file shows of it. Nothing is made here: the browser asks for that."""
    try:
        path, kind = find_kind(file)
    except DomainError as missing:
        return Preview("nothing", missing.message)
    if file.size == 0:
        return Preview("nothing", N_("This file is empty."))
    if kind.shown_as in ("text", "table"):
        return Preview(kind.shown_as, text=read_text(path, kind.shown_as == "table"))
    if kind is NOTHING and has_thumbnail(file.extension):
        return Preview("nothing", PROBLEMS["damaged"](0))
    return Preview(kind.shown_as, find_problem(file.stored_name))


@permitted(Role.VIEWER)
def find_preview(actor: Actor, file: File) -> tuple[Path, str]:
    """The path and type of a document, audio or video that a browser shows as it is. NotShown for a
    PDF that contains JavaScript, which browsers would run."""
    path, kind = find_kind(file)
    if kind.shown_as not in ("pdf", "audio", "video"):
        raise NotFound(N_("There is no preview of this file."))
    if kind.shown_as == "pdf":
        get_or_generate(file.stored_name, "checked", "pdf")
    return path, kind.content_type


@permitted(Role.VIEWER)
def find_picture(actor: Actor, file: File, size: int) -> Path:
    """The path of a picture in one of the SIZES, which is made if there is none."""
    if size not in SIZES or not has_thumbnail(file.extension):
        raise NotFound(N_("There is no preview of this file."))
    _path, kind = find_kind(file)
    if kind is NOTHING:
        raise NotShown(PROBLEMS["damaged"](0))
    return get_or_generate(file.stored_name, str(size), "picture", kind.decoder, str(size))
