"""Entries of the history as sentences: "Lin changed 深圳市", with what changed and Undo. The start
page shows them, and the page of a subject those about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.actor import Actor
from app.history.entries import (
    EntryRow,
    FieldChange,
    action_of,
    describe_entry,
    field_changes,
    find_names,
    sides_of,
    subject_of,
    undo_label,
)
from app.history.models import HistoryEntry
from app.history.recent import ChangeGroup
from app.history.sentences import fill_sentence
from app.history.services import Fields
from app.history.subjects import Subject
from app.history.undo import find_undoable, find_undoable_groups
from app.web.listings import total_text

# For actions without a sentence of their own, such as those of a newer release.
ANY_SENTENCE = _l("%(who)s: %(action)s, %(what)s")


@dataclass(frozen=True)
class FeedRow:
    """One entry, or several. `initial` is the letter of the person's avatar, empty for what is not
    a person; `url` is that of the subject. `undo_url` is empty where the reader cannot undo it;
    `undo_entries` is sent with it: the ids of the entries of several; `is_going_on` is true while
    more of them are being made. `all_url` shows all entries of a bulk change, for those who may see
    the history."""

    at: datetime
    initial: str
    who: Markup
    url: str
    sentence: Markup
    via: str
    changes: list[FieldChange]
    note: str = ""
    undo_url: str = ""
    undo_label: str = ""
    undo_entries: str = ""
    is_going_on: bool = False
    all_url: str = ""


def describe_feed(
    actor: Actor, entries: Sequence[HistoryEntry], about: bool = False
) -> list[FeedRow]:
    """The rows of some entries, in a few queries; `about` is for the page of their subject, which
    they do not name again."""
    names, undoable = find_names(actor, entries), find_undoable(actor, entries)
    return [
        describe_row(actor, entry, describe_entry(entry, names, entry.id in undoable), about)
        for entry in entries
    ]


def describe_row(actor: Actor, entry: HistoryEntry, row: EntryRow, about: bool) -> FeedRow:
    subject = subject_of(entry.subject_kind)
    who = Markup("<b>{}</b>").format(name_of_actor(actor, entry, row))
    about = about and bool(subject.this)
    what = Markup("{}").format(subject.this) if about else link_to(row.label, row.url)
    return FeedRow(
        at=entry.at,
        initial="" if entry.actor_id is None else row.who[:1].upper(),
        who=who,
        url=row.url,
        sentence=write_sentence(subject, entry, row, who, what),
        via=row.via,
        changes=changes_shown(subject, entry, row.label),
        note=note_of(subject, entry),
        undo_url=row.undo_url,
        undo_label=row.undo_label,
    )


def describe_groups(
    actor: Actor, groups: Sequence[ChangeGroup], going_on: Collection[str] = ()
) -> list[FeedRow]:
    """The rows of recent changes, a bulk change as one. Those of the batches `going_on` cannot be
    undone yet."""
    rows = describe_feed(actor, [group.newest for group in groups])
    undoable = find_undoable_groups(actor, [group for group in groups if group.is_undone_as_one])
    described = [
        with_undo(row, group, group.newest.id in undoable) if group.is_undone_as_one else row
        for row, group in zip(rows, groups, strict=True)
    ]
    described = [
        row if group.batch_ids.isdisjoint(going_on) else replace(row, undo_url="", is_going_on=True)
        for row, group in zip(described, groups, strict=True)
    ]
    return [
        replace(describe_group(row, group), all_url=all_url(actor, group))
        for row, group in zip(described, groups, strict=True)
    ]


def all_url(actor: Actor, group: ChangeGroup) -> str:
    """The address of the history that lists the changes of a batch, for administrators."""
    stands_for_others = group.is_bulk or subject_of(group.newest.subject_kind).undo is None
    if not (actor.is_admin and stands_for_others and len(group.heads) == 1):
        return ""
    batch_id = group.newest.batch_id
    return url_for("history.list_history", batch=batch_id) if batch_id else ""


def with_undo(row: FeedRow, group: ChangeGroup, is_undoable: bool) -> FeedRow:
    """A row with the Undo of all its changes, in place of that of its newest."""
    if not is_undoable:
        return replace(row, undo_url="")
    return replace(
        row,
        undo_url=url_for("history.undo_changes"),
        undo_label=undo_label(group.newest),
        undo_entries=" ".join(str(each.id) for each in group.heads),
    )


def describe_group(row: FeedRow, group: ChangeGroup) -> FeedRow:
    """The row of one change as it is, unless it is of a batch that goes on, or that of several."""
    if group.is_bulk:
        return describe_many(row, group)
    return replace(describe_many(row, group), changes=row.changes) if row.is_going_on else row


def describe_many(row: FeedRow, group: ChangeGroup) -> FeedRow:
    """The row of several changes, or of what is there so far of a batch that goes on."""
    entry, subject = group.newest, subject_of(group.newest.subject_kind)
    how, (place, place_url) = shared_place(subject, group)
    if group.parts:
        how = ".one.parts" if group.count == 1 else ".parts"
    elif not group.is_bulk:
        how = ".one"
    actions = [entry.action + variant_of(group), entry.action]
    actions = [f"{entry.action}.going", *actions] if row.is_going_on else actions
    # Folders that an undone upload had made have no entries that it reverts.
    reverts = any(each.reverts_id for each in [entry, *group.parts])
    undo = [f"{action}.undo" for action in actions] if reverts else []
    keys = [action + end for action in [*undo, *actions] for end in (how, "")]
    sentence = next(filter(None, map(subject.many.get, keys)), None)
    if sentence is None:
        return replace(row, changes=[])
    values = {
        "who": row.who,
        "what": link_to(subject.name_of(fields_of(entry)), row.url),
        "count": total_text(group.count),
        "more": total_text(group.count and group.count - 1),
        "place": link_to(place, place_url),
        "parts": counted_parts(group),
    }
    return replace(row, sentence=fill_sentence(sentence, values), changes=[])


def variant_of(group: ChangeGroup) -> str:
    """The variant of all changes of a line, or of their parts; `.mixed` if they differ."""
    some = group.parts or group.entries
    found = {action_of(subject_of(each.subject_kind), each) for each in some}
    if len(found) > 1:
        return ".mixed"
    return found.pop().removeprefix(some[0].action)


def counted_parts(group: ChangeGroup) -> str:
    """How many subjects of another kind are part of what a line says."""
    if not group.parts:
        return ""
    return subject_of(group.parts[0].subject_kind).counted(group.part_count)


def shared_place(subject: Subject, group: ChangeGroup) -> tuple[str, tuple[str, str]]:
    """The place of all changes of a group, or the only one that some of them have, and which of
    these sentences says so."""
    places = {subject.place(fields_of(entry)) for entry in group.entries}
    named = [each for each in places if each[0]]
    if len(named) != 1:
        return "", ("", "")
    return ".place" if len(places) == 1 else ".partly", named[0]


def write_sentence(
    subject: Subject, entry: HistoryEntry, row: EntryRow, who: Markup, what: Markup
) -> Markup:
    """Who did what, with the person in bold and the subject as a link."""
    action = action_of(subject, entry)
    keys = [*([f"{action}.undo"] if entry.reverts_id else []), action, entry.action]
    sentence = next(filter(None, map(subject.sentences.get, keys)), ANY_SENTENCE)
    values = {"who": who, "what": what, "action": row.action, "n": str(entry.version)}
    return fill_sentence(sentence, values)


def link_to(label: str, url: str) -> Markup:
    """A name, as a link if it has an address."""
    if not url:
        return Markup("{}").format(label)
    return Markup('<a href="{}">{}</a>').format(url, label)


def name_of_actor(actor: Actor, entry: HistoryEntry, row: EntryRow) -> str:
    """The person's name; the reader is not called by name."""
    is_reader = entry.actor_id is not None and entry.actor_id == actor.id
    return str(_("You")) if is_reader else row.who


def changes_shown(subject: Subject, entry: HistoryEntry, label: str) -> list[FieldChange]:
    """What changed. Of something new the fields in `brief`, of something removed none: it can be
    restored."""
    before, after = sides_of(entry)
    if after is None or entry.action in subject.notes:
        return []
    if before is None:
        after = {name: after[name] for name in subject.brief if name in after}
    return field_changes(subject, before, after, label)


def note_of(subject: Subject, entry: HistoryEntry) -> str:
    """What changed, in words."""
    note = subject.notes.get(entry.action)
    return note(fields_of(entry)) if note else ""


def fields_of(entry: HistoryEntry) -> Fields:
    """The recorded fields: as they are after the change, or were before a removal."""
    before, after = sides_of(entry)
    return after or before or {}
