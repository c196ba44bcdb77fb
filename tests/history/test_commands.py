"""flask history prune."""

from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import insert, select

from app.database.engine import db
from app.history import commands
from app.history.models import HistoryEntry

# In Shanghai, the zone of the site, 4 March begins at 16:00 UTC.
MIDNIGHT = datetime(2026, 3, 3, 16, tzinfo=UTC)


@pytest.fixture
def moments(app):
    """Entries just before and just after a midnight; a function that gives those that are left."""
    written = [MIDNIGHT.replace(hour=15, minute=59), MIDNIGHT]
    with app.app_context():
        for at in written:
            values = {"at": at, "via": "page", "action": "ship.update", "visible_to": 0}
            ship = {"subject_kind": "ship", "subject_id": 1}
            db.session.execute(insert(HistoryEntry.__table__), {**values, **ship})
        db.session.commit()

    def left():
        with app.app_context():
            query = select(HistoryEntry.at).where(HistoryEntry.subject_kind == "ship")
            return [written.index(at) for at in db.session.scalars(query)]

    return left


@pytest.fixture
def prune(flask):
    return partial(flask, "history", "prune")


def test_entries_before_a_day_in_the_zone_of_the_site_are_deleted(prune, moments):
    result = prune("--before", "2026-03-04")
    assert result.exit_code == 0
    assert result.output == "Deleted 1 entry written before 2026-03-04 (Asia/Shanghai).\n"
    assert moments() == [1]
    assert "0 entries" in prune("--before", "2026-03-04").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--before", "2026-03-06"), "the day is in the future"),
        (("--before", "0001-01-01"), "the year is before 1900"),
        (("--before", "soon"), "'soon' is not a day such as 2025-01-01"),
        (("--before", "2026-02-30"), "is not a day such as 2025-01-01"),
        ((), "Missing option '--before'"),
    ],
)
def test_invalid_days_delete_nothing(prune, moments, monkeypatch, arguments, message):
    # Already 5 March in Shanghai, still the 4th in UTC.
    monkeypatch.setattr(commands, "now", lambda: datetime(2026, 3, 4, 17, tzinfo=UTC))
    result = prune(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert moments() == [0, 1]


def test_today_may_be_named(prune, moments, monkeypatch):
    monkeypatch.setattr(commands, "now", lambda: datetime(2026, 3, 4, 17, tzinfo=UTC))
    assert prune("--before", "2026-03-05").exit_code == 0
    assert moments() == []
