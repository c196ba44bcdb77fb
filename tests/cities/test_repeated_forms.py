"""The form of a new city, sent twice: it adds one city, and both are answered with its id."""

from functools import partial

import pytest

from app.cities import services
from app.database.engine import db
from app.errors import Invalid
from tests.cities.conftest import ACTOR, given, stored, version_of
from tests.factories import at_once, coming_between, entries

pytestmark = pytest.mark.usefixtures("any_app")
TIMES = 50
anyway = pytest.mark.parametrize("anyway", [False, True], ids=["", "anyway"])


def send(city="深圳市", key="k", users="5", anyway=False):
    """The form; nothing of an earlier one is in the session."""
    db.session.rollback()
    return services.create_city(ACTOR, given(city=city, users=users), key=key, anyway=anyway)


@anyway
def test_twice_at_once(any_app, anyway):
    added = set()
    for number in range(TIMES):
        work = partial(send, f"city {number}", f"key {number}", anyway=anyway)
        first, second = at_once(any_app, work, work)
        assert first == second, (first, second)
        added.add(first)
    assert added == {row[0] for row in stored()}
    assert len(added) == len(entries()) == TIMES


@anyway
@pytest.mark.parametrize("place", ["find_existing", "insert_city", "store_key"])
def test_the_second_comes_while_the_first_is_at_work(any_app, anyway, place):
    with coming_between(any_app, services, place, partial(send, anyway=anyway)) as second:
        first = send(anyway=anyway)
    assert second == [first]
    assert [row[0] for row in stored()] == [first]


@anyway
def test_twice_at_once_after_the_city_was_removed(any_app, anyway):
    removed = set()
    for _time in range(TIMES // 5):
        work = partial(send, anyway=anyway)
        first, second = at_once(any_app, work, work)
        assert first == second, (first, second)
        assert first not in removed
        services.delete_city(ACTOR, first)
        removed.add(first)
    assert stored() == []


def test_after_the_city_was_removed_another_with_its_names_counts():
    first = send()
    services.delete_city(ACTOR, first)
    other = send(key="other")
    with pytest.raises(services.AlreadyThere) as refused:
        send()
    assert refused.value.city_id == other
    again = send(anyway=True)
    assert again not in (first, other)
    assert send() == send(anyway=True) == again


def test_the_city_that_it_added_is_not_another_with_its_names():
    first = send()
    second = send(key="other", anyway=True)
    assert [send(), send(key="other")] == [first, second]


def test_the_city_that_it_added_is_the_same_under_another_name():
    first = send()
    services.update_city(ACTOR, first, version_of(first), given(city="珠海市"))
    assert send() == first


def test_other_values_with_the_same_key_at_once(any_app):
    results = at_once(any_app, *(partial(send, users=str(n), anyway=True) for n in range(4)))
    assert len(set(results)) == 4
    assert sorted(results) == [row[0] for row in stored()]


def test_a_refused_form_is_not_stored():
    send()
    with pytest.raises(services.AlreadyThere):
        send(users="6")
    with pytest.raises(Invalid):
        send(city="")
    assert send(users="6", anyway=True) == stored()[-1][0]
