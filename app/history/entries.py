"""Entries as pages show them: who did what to which subject, and what changed."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.actor import Actor, Via
from app.history.models import HistoryEntry
from app.history.queries import names_when_deleted
from app.history.services import Fields
from app.history.subjects import Subject, all_subjects
from app.history.undo import find_undoable
from app.text import join_names, without_bidi
from app.web.formatting import format_exactly, format_number

VALUE_SHOWN = 80  # characters of a value
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Who acted where it was not a person, and how people acted where not on a page. Others, of a newer
# release, are shown as they are.
COMMAND_LINE = _l("Command line")
NOBODY: dict[str, Any] = {
    Via.COMMAND: COMMAND_LINE, Via.SCHEDULE: _l("Schedule"), Via.JOB: _l("Job"),
    Via.PAGE: _l("Visitor"), Via.TOKEN: _l("Visitor"),
}  # fmt: skip
VIAS: dict[str, Any] = {
    Via.TOKEN: _l("by token"), Via.JOB: _l("by job"), Via.SCHEDULE: _l("by schedule"),
    Via.COMMAND: _l("on the command line"),
}  # fmt: skip

Key = tuple[str, int]  # kind and id of a subject


@dataclass(frozen=True)
class FieldChange:
    """One field; None on the side where there was or is no such thing."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class EntryRow:
    """One entry. `url` is empty where the subject is gone or may not be seen, `undo_url` where the
    reader cannot undo it."""

    at: datetime
    who: str
    via: str
    action: str
    label: str
    url: str
    batch: str | None
    undo_url: str
    undo_label: str
    changes: list[FieldChange] = field(default_factory=list)


@dataclass
class Names:
    """What the rows of a page name: people and subjects, and which of these the reader may see."""

    people: Mapping[int, str]
    subjects: dict[Key, str] = field(default_factory=dict)
    readable: set[Key] = field(default_factory=set)


def describe(actor: Actor, entries: Sequence[HistoryEntry]) -> list[EntryRow]:
    names, undoable = find_names(actor, entries), find_undoable(actor, entries)
    return [
        replace(
            describe_entry(entry, names, entry.id in undoable),
            changes=field_changes(
                subject_of(entry.subject_kind), *sides_of(entry), label_of(entry, names)
            ),
        )
        for entry in entries
    ]


def find_names(actor: Actor, entries: Sequence[HistoryEntry]) -> Names:
    """The names for a page, in a few queries for each kind of subject."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        wanted[entry.subject_kind].add(entry.subject_id)
    found = Names(person_names(entry.actor_id for entry in entries if entry.actor_id is not None))
    for kind, ids in wanted.items():
        subject = subject_of(kind)
        labels = subject.labels(ids)
        gone = ids - set(labels)
        former = names_when_deleted(kind, gone, subject.naming_field) if gone else {}
        found.subjects |= {
            (kind, each): without_bidi(name) for each, name in {**former, **labels}.items()
        }
        found.readable |= {(kind, each) for each in subject.may_read(actor, list(labels))}
    return found


def subject_of(kind: str) -> Subject:
    """What is known about a kind; nothing about one that only a newer release has."""
    unknown = Subject(kind, kind, labels=lambda _ids: {}, actions={}, fields={})
    return all_subjects().get(kind, unknown)


def describe_entry(entry: HistoryEntry, names: Names, is_undoable: bool) -> EntryRow:
    """A row without what changed."""
    subject = subject_of(entry.subject_kind)
    is_readable = (entry.subject_kind, entry.subject_id) in names.readable
    return EntryRow(
        at=entry.at,
        who=who_acted(entry, names),
        via=how_acted(entry),
        action=action_name(subject, entry),
        label=label_of(entry, names),
        url=subject.url(entry.subject_id) if is_readable else "",
        batch=entry.batch_id,
        undo_url=undo_url(entry.id) if is_undoable else "",
        undo_label=undo_label(entry) if is_undoable else "",
    )


def action_of(subject: Subject, entry: HistoryEntry) -> str:
    """The action with its variant: file.move.rename."""
    variant = subject.variant(entry.action, *sides_of(entry))
    return f"{entry.action}.{variant}" if variant else entry.action


def action_name(subject: Subject, entry: HistoryEntry) -> str:
    """The action in words; one of a newer release as it is."""
    name = subject.actions.get(action_of(subject, entry))
    return str(name or subject.actions.get(entry.action, entry.action))


def undo_url(entry_id: int) -> str:
    """The address that undoes what an entry says."""
    return url_for("history.undo_change", entry_id=entry_id)


def undo_label(entry: HistoryEntry) -> str:
    return str(_("Restore") if entry.after is None else _("Undo"))


def label_of(entry: HistoryEntry, names: Names) -> str:
    """The name of the subject: its present one, or that of its last entry."""
    if name := names.subjects.get((entry.subject_kind, entry.subject_id)):
        return name
    before, after = sides_of(entry)
    return name_from(subject_of(entry.subject_kind), after, before) or f"#{entry.subject_id}"


def sides_of(entry: HistoryEntry) -> tuple[Fields | None, Fields | None]:
    """The recorded fields before and after."""
    before, after = (json.loads(side or "null") for side in (entry.before, entry.after))
    return before, after


def who_acted(entry: HistoryEntry, names: Names) -> str:
    """The person, or what acted in the place of one."""
    if entry.actor_id is not None:
        return names.people[entry.actor_id]
    return str(NOBODY.get(entry.via, entry.via))


def how_acted(entry: HistoryEntry) -> str:
    """How a person acted, if not on a page."""
    if entry.actor_id is None or entry.via == Via.PAGE:
        return ""
    return str(VIAS.get(entry.via, entry.via))


def person_names(ids: Iterable[int]) -> dict[int, str]:
    """The names of people; of those who do not exist any more the number."""
    wanted = set(ids)
    found = subject_of("person").labels(wanted) if wanted else {}
    return {each: found.get(each) or f"#{each}" for each in wanted}


def name_from(subject: Subject, *sides: Fields | None) -> str:
    return next(filter(None, (subject.name_of(side or {}) for side in sides)), "")


def field_changes(
    subject: Subject, before: Fields | None, after: Fields | None, label: str
) -> list[FieldChange]:
    """What changed, field by field, in the order in which it was recorded. Of something new or
    deleted empty and hidden fields are left out, and the name where the row's label shows it;
    otherwise fields that are equal, which are recorded for undoing."""
    fields = {**(before or {}), **(after or {})}
    if before is None or after is None:
        is_named = subject.fixed_name or subject.name_of(fields) == label
        shown_already = subject.naming_field if is_named else None
        names = [
            name
            for name, value in fields.items()
            if name != shown_already
            and name not in subject.hidden
            and not is_empty(value)
            and not (name in subject.counts and value == 0)
        ]
    else:
        names = [name for name in fields if before.get(name) != after.get(name)]
    return [
        FieldChange(
            str(subject.fields.get(name, name)),
            None if before is None else show_value(subject, name, before.get(name)),
            None if after is None else show_value(subject, name, after.get(name)),
        )
        for name in names
    ]


def is_empty(value: Any) -> bool:
    """True for a field that holds nothing; 0 and False are values."""
    return value is None or value in ("", [], {})


def show_value(subject: Subject, name: str, value: Any) -> str:
    """A recorded value, as people read it; long ones are cut."""
    if is_empty(value):
        return str(_("(empty)"))
    if name in subject.formats:
        return subject.formats[name](value)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int):
        return format_number(value)
    if isinstance(value, list):
        value = join_names(value)
    text = without_bidi(str(value))
    if MOMENT.fullmatch(text):
        return format_exactly(datetime.fromisoformat(text))
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"
