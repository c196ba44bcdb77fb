"""Entries as pages show them: who did what to which subject, and what changed."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.actor import Actor, Via
from app.history.models import HistoryEntry
from app.history.queries import names_when_deleted
from app.history.subjects import Subject, all_subjects
from app.web.formatting import format_datetime, format_number

VALUE_SHOWN, BATCH_SHOWN = 80, 8  # characters of a value, and of the id of a batch
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Who acted where it was not a person, and in which way somebody acted where not on a page. A newer
# release may have written others, which are shown as they are.
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
    """One entry for a template. `url` is empty where the subject is gone or may not be seen."""

    id: int
    at: datetime
    who: str
    via: str
    action: str
    label: str
    url: str
    changes: list[FieldChange]
    batch: str | None


@dataclass
class Names:
    """What the rows of a page name: people, subjects that exist, subjects that are gone, and those
    that the reader may see."""

    people: Mapping[int, str]
    present: dict[Key, str] = field(default_factory=dict)
    former: dict[Key, str] = field(default_factory=dict)
    readable: set[Key] = field(default_factory=set)


def describe(actor: Actor, entries: Sequence[HistoryEntry]) -> list[EntryRow]:
    """The rows of a page, for this actor."""
    names = find_names(actor, entries)
    return [describe_entry(entry, names) for entry in entries]


def find_names(actor: Actor, entries: Sequence[HistoryEntry]) -> Names:
    """The names for a page: a few queries for each kind of subject, whatever the number of
    entries."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        wanted[entry.subject_kind].add(entry.subject_id)
    found = Names(person_names(entry.actor_id for entry in entries if entry.actor_id is not None))
    for kind, ids in wanted.items():
        if subject := all_subjects().get(kind):
            labels = subject.labels(ids)
            gone = ids - set(labels)
            former = names_when_deleted(kind, gone, subject.naming_field) if gone else {}
            found.present |= {(kind, each): label for each, label in labels.items()}
            found.former |= {(kind, each): name for each, name in former.items()}
            found.readable |= {(kind, each) for each in subject.may_read(actor, list(labels))}
    return found


def describe_entry(entry: HistoryEntry, names: Names) -> EntryRow:
    """One row."""
    subject = all_subjects().get(entry.subject_kind)
    before, after = load(entry.before), load(entry.after)
    key = (entry.subject_kind, entry.subject_id)
    label = names.present.get(key) or names.former.get(key) or name_from(subject, after, before)
    label = label or f"#{entry.subject_id}"
    return EntryRow(
        id=entry.id,
        at=entry.at,
        who=who_acted(entry, names),
        via=how_acted(entry),
        action=str(subject.actions.get(entry.action, entry.action) if subject else entry.action),
        label=label,
        url=subject.url(entry.subject_id) if subject and key in names.readable else "",
        changes=field_changes(subject, before, after, label),
        batch=entry.batch_id,
    )


def who_acted(entry: HistoryEntry, names: Names) -> str:
    """The person, or what acted in the place of one."""
    if entry.actor_id is not None:
        return names.people[entry.actor_id]
    return str(NOBODY.get(entry.via, entry.via))


def how_acted(entry: HistoryEntry) -> str:
    """How a person acted, where it was not on a page."""
    if entry.actor_id is None or entry.via == Via.PAGE:
        return ""
    return str(VIAS.get(entry.via, entry.via))


def person_names(ids: Iterable[int]) -> dict[int, str]:
    """The names of people, also of those who are not there any more: their number."""
    wanted = set(ids)
    subject = all_subjects().get("person")
    found = subject.labels(wanted) if subject and wanted else {}
    return {each: found.get(each) or f"#{each}" for each in wanted}


def name_from(subject: Subject | None, *sides: Mapping[str, Any] | None) -> str:
    """The name that one of the sides of an entry holds."""
    names = (subject.name_of(side) for side in sides if subject and side)
    return next(filter(None, names), "")


def batch_name(batch: str) -> str:
    """A batch by the beginning of its id, which tells it from its neighbours."""
    return str(_("Batch %(id)s", id=batch[:BATCH_SHOWN]))


def load(text: str | None) -> dict[str, Any] | None:
    """The fields of one side of an entry."""
    return None if text is None else json.loads(text)


def field_changes(
    subject: Subject | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    label: str,
) -> list[FieldChange]:
    """What changed, field by field, in the order in which it was recorded. Of something new or
    deleted empty fields are left out, and the name where the row's label shows it."""
    names = [*dict.fromkeys([*(before or {}), *(after or {})])]
    if before is None or after is None:
        fields = before or after or {}
        known = naming_field(subject, fields, label)
        names = [name for name in names if name != known and shows(subject, name, fields[name])]
    return [
        FieldChange(
            str(subject.fields.get(name, name) if subject else name),
            None if before is None else show_value(subject, name, before.get(name)),
            None if after is None else show_value(subject, name, after.get(name)),
        )
        for name in names
    ]


def naming_field(subject: Subject | None, fields: Mapping[str, Any], label: str) -> str | None:
    """The field whose value the label of a row shows."""
    if subject and (subject.fixed_name or subject.name_of(fields) == label):
        return subject.naming_field
    return None


def shows(subject: Subject | None, name: str, value: Any) -> bool:
    """True if a field of something new or deleted has something to show."""
    is_no_count = subject is not None and name in subject.counts and value == 0
    return not (is_empty(value) or is_no_count)


def is_empty(value: Any) -> bool:
    """True for a field that holds nothing; 0 and False are values."""
    return value is None or value in ("", [], {})


def show_value(subject: Subject | None, name: str, value: Any) -> str:
    """A recorded value, as people read it; long ones are cut."""
    if is_empty(value):
        return str(_("(nothing)"))
    if subject and name in subject.formats:
        return subject.formats[name](value)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int):
        return format_number(value)
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = str(value)
    if MOMENT.fullmatch(text):
        return format_datetime(datetime.fromisoformat(text))
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"
