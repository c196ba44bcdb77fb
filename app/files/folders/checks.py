"""Whether a place is free, and who may change a folder; within a running service or read."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, or_, select

from app.actor import Actor
from app.database.engine import db
from app.database.keyset import Query
from app.database.limits import slices
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.files.folders.models import Folder
from app.files.folders.paths import ancestors, inside, name_of, parent_of
from app.files.folders.rows import lock_present
from app.files.models import File, join_path
from app.text import N_, Message

FILE_THERE = N_("There is already a file %(name)s in %(folder)s.")
FOLDER_THERE = N_("There is already a folder %(name)s in %(folder)s.")


def check_free(path: str, field: str = "name") -> None:
    """Refuse a path that a folder has, or a file of whomever; `field` is that of the form."""
    name, folder = name_of(path), parent_of(path)
    below = select(File.id).where(inside(File.folder, path), File.removed_at.is_(None)).limit(1)
    if db.session.scalar(select(Folder.id).where(Folder.path == path)) or db.session.scalar(below):
        raise taken(FOLDER_THERE, path, field)
    here = (File.name == name, File.folder == folder)
    if db.session.scalar(select(File.id).where(*here, File.removed_at.is_(None)).limit(1)):
        raise taken(FILE_THERE, path, field)


def taken(text: Message, path: str, field: str = "name") -> Invalid:
    return Invalid(fields={field: filled(text, path)})


def filled(text: Message, path: str) -> Message:
    return N_(text.text, name=name_of(path), folder=parent_of(path) or N_("Files"))


def find_taken(paths: Collection[str]) -> dict[str, Message]:
    """Why files cannot have some of these paths: a folder has it, or a file has that of a folder
    which would be made for it."""
    above = {path: ancestors(parent_of(path)) for path in paths}
    wanted = {each for some in above.values() for each in some}
    folders = set[str]()
    for some in slices(wanted.union(paths)):
        folders.update(db.session.scalars(select(Folder.path).where(Folder.path.in_(some))))
    files = find_files(wanted - folders)
    found = {path: filled(FOLDER_THERE, path) for path in paths if path in folders}
    for path, some in above.items():
        if is_file := files.intersection(some):
            found[path] = filled(FILE_THERE, min(is_file))
    return found | find_taken_among(path for path in paths if path not in found)


def find_taken_among(paths: Iterable[str]) -> dict[str, Message]:
    """The same for files that come together: why some cannot be stored beside those before them."""
    files, folders, found = set[str](), set[str](), dict[str, Message]()
    for path in paths:
        above = ancestors(parent_of(path))
        if path in folders:
            found[path] = filled(FOLDER_THERE, path)
        elif is_file := files.intersection(above):
            found[path] = filled(FILE_THERE, min(is_file))
        else:
            files.add(path)
            folders.update(above)
    return found


def check_not_taken(paths: Collection[str]) -> None:
    """Conflict if removed files cannot have these paths again."""
    for message in find_taken(paths).values():
        raise Conflict(message)


def check_no_files(paths: Collection[str]) -> None:
    """Conflict if removed folders cannot have these paths again, because a file has one."""
    for path in sorted(find_files(paths)):
        raise Conflict(filled(FILE_THERE, path))


def find_files(paths: Collection[str]) -> set[str]:
    """Which of these paths a file of whomever has."""
    found = set[str]()
    for some in slices(paths):
        names = File.name.in_(map(name_of, some)), File.folder.in_(map(parent_of, some))
        query = select(File.folder, File.name).where(*names, File.removed_at.is_(None)).distinct()
        found.update(join_path(*row) for row in db.session.execute(query))
    return found.intersection(paths)


class NoDestination(Invalid):
    """There is no folder of a path to which something is moved."""


def lock_place(folder: str) -> None:
    """Lock a folder, so that nobody moves or removes it before the service ends; NoDestination if
    there is none of this path."""
    if folder and folder not in lock_present([folder]):
        raise NoDestination(fields={"folder": N_("There is no folder %(path)s.", path=folder)})


def check_count(rows: Iterable[Query], most: int, too_many: Message) -> None:
    """Refuse more than may change in one transaction: `rows` are queries for the ids of rows, none
    of which is counted further than needed."""
    left = most
    for query in rows:
        some = query.limit(left + 1).subquery()
        left -= db.session.scalar(select(func.count()).select_from(some)) or 0
        if left < 0:
            raise Invalid(too_many)


def may_change_folders(actor: Actor, folders: Sequence[Folder]) -> bool:
    """True for editors; for others if they made the folders, and everything in them is theirs,
    removed files and former versions too."""
    return actor.may_write or (
        actor.is_signed_in and all(is_own(actor.person_id, folder) for folder in folders)
    )


def is_own(person_id: int, folder: Folder) -> bool:
    """True if a person made a folder and everything in it."""
    others = or_(Folder.created_by != person_id, Folder.created_by.is_(None))
    folders = select(Folder.id).where(inside(Folder.path, folder.path), others)
    files = select(File.id).where(inside(File.folder, folder.path), File.owner_id != person_id)
    return not any(db.session.scalar(query.limit(1)) for query in (folders, files))


def check_may_change_folders(actor: Actor, folders: Sequence[Folder]) -> None:
    if not may_change_folders(actor, folders):
        raise Forbidden(
            N_("Only editors can do this, and whoever made the folder and everything in it.")
        )


def no_such_folder() -> NotFound:
    return NotFound(N_("There is no such folder."))
