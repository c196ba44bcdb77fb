"""What the page of the history shows: its filters. Knows no database."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from app.database.cursor import BY_ID
from app.database.keyset import Listing

OPERATOR = 0  # the filter `person` for the command line
FIRST_YEAR = 1900  # of days; time zones cannot hold the first and the last years


@dataclass(frozen=True)
class HistoryListing(Listing):
    """The filters. Nothing set is everything, newest first. `person` is a person's id or OPERATOR;
    `kind` is a kind of subject."""

    SORTS: ClassVar = {"id": BY_ID}

    sort: str = "id"
    descending: bool = True
    person: int | None = None
    kind: str = ""
    day: date | None = None
    batch: str = ""
