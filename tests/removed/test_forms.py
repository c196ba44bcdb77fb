"""Until when a list is emptied."""

from datetime import UTC, datetime

import pytest

from app.removed.forms import read_until


def test_a_moment_is_read_in_utc():
    assert read_until("2026-11-30T08:00:00+08:00") == datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [None, "", "now", "2026-11-30", "2026-11-30T08:00:00", "0001-01-01T00:00:00+14:00",
     "9999-12-31T23:59:59-14:00", "2026-11-30T08:00:00+25:00"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    assert read_until(text) is None
