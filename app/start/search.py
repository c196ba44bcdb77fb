"""The search in everything: a few of each kind, as far as the reader may see them.

Each kind is read by itself. One that takes too long is left out, and the page says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.actor import Actor, Role
from app.auth.queries import search_people
from app.cities.listing.queries import CityListing, select_page
from app.database.cursor import FIRST
from app.database.engine import db, release_connection
from app.database.failures import DATABASE_ERRORS, Kind, classify, report
from app.database.service import permitted
from app.files.listing import FileListing, read_rows
from app.redis.flight import search_turns

SHOWN = 6


@dataclass
class Found:
    """What a search found, by kind. `more` are the kinds of which not all are shown, `late` those
    that took too long."""

    cities: Sequence[Any] = ()
    files: Sequence[Any] = ()
    people: Sequence[Any] = ()
    more: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (self.cities or self.files or self.people or self.late)


@permitted(Role.VIEWER)
def search_everything(actor: Actor, words: str) -> Found:
    """The first cities, files and folders, and for administrators people, with these words. They
    are read in one turn, as the searches of lists."""
    release_connection()
    with search_turns.taken():
        return read_kinds(actor, words)


def read_kinds(actor: Actor, words: str) -> Found:
    found, most = Found(), SHOWN + 1
    reads: dict[str, Callable[[], Sequence[Any]]] = {
        "cities": lambda: select_page(actor, CityListing(search=words, size=most)).rows,
        "files": lambda: read_rows(FileListing(search=words), FIRST, most),
    }
    if actor.is_admin and not actor.by_token:
        reads["people"] = lambda: search_people(actor, words, most)
    for kind, read in reads.items():
        try:
            rows = read()
        except DATABASE_ERRORS as error:
            db.session.rollback()
            if classify(error) is not Kind.TOO_LONG:
                raise
            report(error, f"the search in {kind} was left out")
            found.late.add(kind)
        else:
            setattr(found, kind, rows[:SHOWN])
            found.more |= {kind} if len(rows) > SHOWN else set()
        db.session.expunge_all()
        db.session.rollback()
    return found
