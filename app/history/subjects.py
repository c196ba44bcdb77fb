"""What an entry of the history can be about. Each package registers its own kinds of subject."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from app.actor import Actor, Via
from app.database.engine import db
from app.history.models import HistoryEntry
from app.history.services import Fields
from app.text import Message

EXTENSION = "gazetteer-subjects"


@dataclass(frozen=True)
class Subject:
    """One kind of subject.

    `name` is what people call the kind, translated when it is shown. `labels` gives the present
    names of those of some ids that still exist, and `may_read` those of some ids that an actor may
    see, each in at most one query. `url` gives the address of one, empty if it has none, and
    `url_when_gone` the page to go to instead of that of a removed one. `actions` translates
    `<kind>.<verb>` into words that also name the kind: "City added". `fields` translates the names
    of fields; `formats` has functions for fields whose recorded values are not what people read,
    such as roles and sizes. `hidden` are fields that are recorded for undoing and not shown.
    `counts` are fields that are left out of an entry about something new or deleted where they are
    0. `name_field` is the field that holds the name, by which something deleted is called; by
    default the first of `fields`. With `fixed_name` the name never changes, so it is not shown
    again beside the label. `sentences` are those of the feed by action, and by `<action>.<variant>`
    where `variant` gives one for the fields of an entry before and after, as those of `actions` may
    be; with `.undo` at its end for one that reverts another. `many` are those about several.
    `part_of` is a kind whose subjects hold those of this one: what was done with both at once is
    one line, in which `counted` says how many they are, None for more than COUNT_MOST. `undo_bulk`
    undoes the changes for which some entries of one action stand, and `undoable_bulk` gives the ids
    of those of which something can be undone.
    """

    kind: str
    name: Any
    labels: Callable[[Iterable[int]], Mapping[int, str]]
    actions: Mapping[str, Any]
    fields: Mapping[str, Any]
    url: Callable[[int], str] = lambda _id: ""
    may_read: Callable[[Actor, Collection[int]], Collection[int]] = lambda _actor, _ids: ()
    url_when_gone: Callable[[Actor, int], str] = lambda _actor, _id: ""
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    hidden: Collection[str] = ()
    counts: Collection[str] = ()
    name_field: str = ""
    fixed_name: bool = False
    sentences: Mapping[str, Any] = field(default_factory=dict)
    variant: Callable[[str, Fields | None, Fields | None], str] = lambda _action, _old, _new: ""
    this: Any = ""
    feed: Collection[str] = ()
    brief: Collection[str] = ()
    notes: Mapping[str, Callable[[Mapping[str, Any]], str]] = field(default_factory=dict)
    many: Mapping[str, Any] = field(default_factory=dict)
    place: Callable[[Mapping[str, Any]], tuple[str, str]] = lambda _fields: ("", "")
    joined: Collection[str] = ()
    part_of: str = ""
    counted: Callable[[int | None], str] = lambda _count: ""
    undo: Callable[[Actor, HistoryEntry], Message] | None = None
    undoable: Callable[[Actor, Sequence[HistoryEntry]], Collection[int]] = lambda _a, _e: ()
    undo_bulk: Callable[[Actor, Sequence[HistoryEntry]], Sequence[Message]] | None = None
    undoable_bulk: Callable[[Actor, Sequence[HistoryEntry]], Collection[int]] = lambda _a, _e: ()

    def name_of(self, fields: Mapping[str, Any]) -> str:
        """The name that the fields of an entry hold; empty if it is not among them."""
        return str(fields.get(self.naming_field) or "")

    @property
    def naming_field(self) -> str:
        return self.name_field or next(iter(self.fields), "")


def labels_from(column: Any) -> Callable[[Iterable[int]], Mapping[int, str]]:
    """The `labels` of subjects whose names are in a column of their model."""

    def labels(ids: Iterable[int]) -> Mapping[int, str]:
        row_id = column.class_.id
        query = select(row_id, column.label("label")).where(row_id.in_(list(ids)))
        return {row.id: row.label for row in db.session.execute(query)}

    return labels


def register(app: Flask, subject: Subject) -> None:
    """Make a kind known; called by a package's init_app()."""
    app.extensions.setdefault(EXTENSION, {})[subject.kind] = subject


def all_subjects() -> Mapping[str, Subject]:
    """All kinds by name, in the order in which they were registered."""
    found: Mapping[str, Subject] = current_app.extensions.get(EXTENSION, {})
    return found


def is_joined(entry: HistoryEntry) -> bool:
    """True for an action of a script of which several are one line of the feed, one after another.
    What a person does on pages one after another is not one change, to be undone as one."""
    subject = all_subjects().get(entry.subject_kind)
    return subject is not None and entry.action in subject.joined and entry.via != Via.PAGE
