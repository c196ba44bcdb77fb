"""What an entry of the history can be about. Each package registers its own kinds of subject."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from app.actor import Actor

EXTENSION = "gazetteer-subjects"


@dataclass(frozen=True)
class Subject:
    """One kind of subject.

    `name` is what people call the kind, translated when it is shown. `labels` gives the present
    names of those of some ids that still exist, in one query. `url` gives the address of one.
    `may_read` says whether an actor may see one; `actions` translates `<kind>.<verb>`.
    """

    kind: str
    name: Any
    labels: Callable[[Iterable[int]], Mapping[int, str]]
    url: Callable[[int], str]
    may_read: Callable[[Actor, int], bool]
    actions: Mapping[str, Any]
    fields: Mapping[str, Any]


def register(app: Flask, subject: Subject) -> None:
    """Make a kind known; called by a package's init_app()."""
    app.extensions.setdefault(EXTENSION, {})[subject.kind] = subject


def all_subjects() -> Mapping[str, Subject]:
    """All kinds by name, in the order in which they were registered."""
    found: Mapping[str, Subject] = current_app.extensions.get(EXTENSION, {})
    return found
