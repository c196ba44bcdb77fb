"""Entries of the history as sentences: "Lin changed 深圳市", with what changed and Undo. The start
page shows them, and the page of a subject those about it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.actor import Actor
from app.history.entries import (
    EntryRow,
    FieldChange,
    describe_entry,
    field_changes,
    find_names,
    subject_of,
)
from app.history.models import HistoryEntry
from app.history.subjects import Subject
from app.history.undo import find_undoable

# For actions without a sentence of their own, such as those of a newer release.
ANY_SENTENCE = _l("%(who)s: %(action)s, %(what)s")


@dataclass(frozen=True)
class FeedRow:
    """One entry. `initial` is the letter of the person's avatar, empty for what is not a person.
    `undo_url` is empty where the reader cannot undo it."""

    at: datetime
    initial: str
    sentence: Markup
    via: str
    changes: list[FieldChange]
    undo_url: str = ""
    undo_label: str = ""


def describe_feed(
    actor: Actor, entries: Sequence[HistoryEntry], about: bool = False
) -> list[FeedRow]:
    """The rows of some entries, in a few queries; `about` is for the page of their subject, which
    they do not name again."""
    names, undoable = find_names(actor, entries), find_undoable(actor, entries)
    rows = []
    for entry in entries:
        subject, row = subject_of(entry.subject_kind), describe_entry(entry, names)
        what = Markup("{}").format(subject.this) if about and subject.this else link_to(row)
        is_undoable = entry.id in undoable
        rows.append(
            FeedRow(
                at=entry.at,
                initial=initial_of(entry, row),
                sentence=write_sentence(
                    subject, entry, row, name_of_actor(actor, entry, row), what
                ),
                via=row.via,
                changes=changes_shown(subject, entry, row.label),
                undo_url=undo_url(entry.id) if is_undoable else "",
                undo_label=undo_label(entry) if is_undoable else "",
            )
        )
    return rows


def write_sentence(
    subject: Subject, entry: HistoryEntry, row: EntryRow, who: str, what: Markup
) -> Markup:
    """Who did what, with the person in bold and the subject as a link."""
    undone = subject.sentences.get(f"{entry.action}.undo") if entry.reverts_id else None
    sentence = undone or subject.sentences.get(entry.action, ANY_SENTENCE)
    values = {"who": Markup("<b>{}</b>").format(who), "what": what, "action": row.action}
    # Our own text; the values are escaped above.
    return Markup(str(sentence)) % values  # noqa: S704


def link_to(row: EntryRow) -> Markup:
    """The subject's name, as a link to its page if it has one."""
    if not row.url:
        return Markup("{}").format(row.label)
    return Markup('<a href="{}">{}</a>').format(row.url, row.label)


def name_of_actor(actor: Actor, entry: HistoryEntry, row: EntryRow) -> str:
    """The person's name; the reader is not called by name."""
    is_reader = entry.actor_id is not None and entry.actor_id == actor.id
    return str(_("You")) if is_reader else row.who


def initial_of(entry: HistoryEntry, row: EntryRow) -> str:
    return "" if entry.actor_id is None else row.who[:1].upper()


def changes_shown(subject: Subject, entry: HistoryEntry, label: str) -> list[FieldChange]:
    """What changed. Of something new the fields in `brief`, of something removed none: it can be
    restored."""
    before, after = (json.loads(side or "null") for side in (entry.before, entry.after))
    if after is None:
        return []
    if before is None:
        after = {name: after[name] for name in subject.brief if name in after}
    return field_changes(subject, before, after, label)


def undo_url(entry_id: int) -> str:
    """The address that undoes what an entry says."""
    return url_for("history.undo_change", entry_id=entry_id)


def undo_label(entry: HistoryEntry) -> Any:
    return _("Restore") if entry.after is None else _("Undo")
