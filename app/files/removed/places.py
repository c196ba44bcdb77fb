"""Where removed folders would be now."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from app.database.engine import db
from app.files.folders.paths import ancestors, is_inside, moved, name_of
from app.files.rules import restorable_since
from app.history.models import HistoryEntry
from app.history.queries import written_since

# Removed folders of one name that are looked at.
MOST_NAMED = 1_000


def paths_now(entries: Sequence[HistoryEntry]) -> dict[int, str]:
    """Where removed folders would be now, by the ids of the entries about their removal: where a
    folder above was moved since, the files that were removed in them moved too."""
    paths = {entry.id: path_before(entry) for entry in entries}
    columns = select(HistoryEntry.id, HistoryEntry.before, HistoryEntry.after)
    later = (HistoryEntry.subject_kind == "folder", HistoryEntry.id > min(paths, default=0))
    query = columns.where(*later, HistoryEntry.action == "folder.move").order_by(HistoryEntry.id)
    above = {each for path in paths.values() for each in ancestors(path)}
    for move in db.session.execute(query) if paths else ():
        old, new = recorded_path(move.before), recorded_path(move.after)
        if old in above:
            for entry_id, path in paths.items():
                if entry_id < move.id and is_inside(path, old):
                    paths[entry_id] = moved(path, old, new)
            above = {each for path in paths.values() for each in ancestors(path)}
    return paths


def removals_named(name: str) -> Sequence[HistoryEntry]:
    """The newest entries about removed folders of this name that can still be restored, at most
    MOST_NAMED, wherever they would be now: the folders above them may have been moved."""
    since = restorable_since()
    query = select(HistoryEntry).where(
        HistoryEntry.action == "folder.delete",
        HistoryEntry.at > since,
        *written_since(since),
        # As it is in the JSON text, which has more than the path.
        HistoryEntry.before.contains(json.dumps(name, ensure_ascii=False)[1:], autoescape=True),
    )
    # MariaDB may prefer to read the history of all kinds backwards.
    query = query.with_hint(HistoryEntry, "FORCE INDEX (ix_history_action)", dialect_name="mysql")
    found = db.session.scalars(query.order_by(HistoryEntry.id.desc()).limit(MOST_NAMED))
    return [entry for entry in found if name_of(path_before(entry)) == name]


def path_before(entry: HistoryEntry) -> str:
    return recorded_path(entry.before)


def recorded_path(fields: str | None) -> str:
    """The path of a folder in a column of the history."""
    return str(json.loads(fields or "{}").get("path", ""))
