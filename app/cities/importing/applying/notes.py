"""What an import has done, in words: 21 added, 3 changed."""

from collections.abc import Mapping
from typing import Any

from app.cities.importing.models import WAITING, CityImport, ImportState
from app.text import N_, Message, join_names


def import_note(counts: Mapping[str, Any]) -> str:
    """What applying it did."""
    return join_counts(
        counts,
        new=N_("%(n)s added", n=counts.get("new", 0)),
        changed=N_("%(n)s changed", n=counts.get("changed", 0)),
        skipped=N_("%(n)s skipped", n=counts.get("skipped", 0)),
        refused=N_("%(n)s refused", n=counts.get("refused", 0)),
    )


def undo_note(counts: Mapping[str, Any]) -> str:
    """What undoing it did."""
    return join_counts(
        counts,
        removed=N_("%(n)s removed", n=counts.get("removed", 0)),
        reverted=N_("%(n)s restored", n=counts.get("reverted", 0)),
        kept=N_("%(n)s kept", n=counts.get("kept", 0)),
    )


def join_counts(counts: Mapping[str, Any], **texts: Message) -> str:
    return join_names(text for name, text in texts.items() if counts.get(name))


def applied_counts(found: CityImport) -> dict[str, int]:
    """What was applied so far."""
    return {
        "new": found.added,
        "changed": found.changed,
        "skipped": found.skipped,
        "same": found.lines_same,
        "refused": found.lines_refused,
    }


def undone_counts(found: CityImport) -> dict[str, int]:
    """What was undone so far."""
    return {"removed": found.removed, "reverted": found.reverted, "kept": found.kept}


def note_of(found: CityImport) -> str:
    """What an import has done or undone; how many lines one has that waits."""
    if found.state in WAITING:
        return str(N_("Lines: %(n)s", n=sum(found.line_counts.values())))
    if found.state == ImportState.UNDONE:
        return undo_note(undone_counts(found))
    return import_note(applied_counts(found))
