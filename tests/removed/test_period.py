"""For how long removed things can be restored."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cities.models import RemovedCity
from app.database.engine import db
from app.database.service import run_transaction
from app.errors import Conflict
from app.removed.emptying import empty_until
from app.removed.period import is_restorable, restorable_since
from app.times import now

pytestmark = pytest.mark.usefixtures("any_app")


def empty(until, count=lambda _after, _until: 1, kind="city"):
    return run_transaction(lambda: empty_until(kind, until, count))


def is_days_ago(moment, days):
    return (
        timedelta(0) <= moment - (now() - timedelta(days=days, seconds=9)) <= timedelta(seconds=9)
    )


def test_things_can_be_restored_for_the_days_of_the_setting(make_app):
    assert is_days_ago(restorable_since("city"), 30)
    with make_app(REMOVED_DAYS="3").app_context():
        assert is_days_ago(restorable_since("city"), 3)


def test_an_emptied_list_is_of_one_kind_alone_and_begins_again():
    until = now() - timedelta(hours=1)
    assert empty(until) == (until, 1)
    assert restorable_since("city") == until
    assert restorable_since("file") < now() - timedelta(days=29)
    later = now() - timedelta(minutes=1)
    assert empty(later) == (later, 1)
    assert restorable_since("city") == later


def test_nothing_is_emptied_beforehand():
    until, _count = empty(datetime(2999, 1, 1, tzinfo=UTC))
    assert until <= now()


def test_without_anything_to_delete_the_moment_stays():
    before = restorable_since("city")
    with pytest.raises(Conflict, match="Nothing is left"):
        empty(now(), count=lambda _after, _until: 0)
    assert restorable_since("city") - before < timedelta(seconds=9)


def test_what_is_counted_begins_where_the_last_time_ended():
    first, second = now() - timedelta(hours=2), now() - timedelta(hours=1)
    empty(first)
    periods = []
    empty(second, count=lambda after, until: periods.append((after, until)) or 1)
    assert periods == [(first, second)]


def test_condition_and_moment_say_the_same():
    since = now() - timedelta(days=1)
    moments = [since - timedelta(microseconds=1), since, since + timedelta(microseconds=1)]
    for city_id, moment in enumerate(moments, 1):
        db.session.add(RemovedCity(city_id=city_id, version=1, removed_at=moment, removed_by="Ada"))
    db.session.commit()
    ids = select(RemovedCity.city_id).where(is_restorable("city", RemovedCity.removed_at))
    assert db.session.scalars(ids.order_by(RemovedCity.city_id)).all() == [1, 2, 3]
    empty(since)
    assert db.session.scalars(ids).all() == [3]
    assert restorable_since("city") == since
