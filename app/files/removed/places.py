"""Where removed folders would be now."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from app.database.engine import db
from app.files.folders.paths import ancestors, is_inside, moved
from app.history.models import HistoryEntry


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


def path_before(entry: HistoryEntry) -> str:
    return recorded_path(entry.before)


def recorded_path(fields: str | None) -> str:
    """The path of a folder in a column of the history."""
    return str(json.loads(fields or "{}").get("path", ""))
