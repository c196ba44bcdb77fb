"""Everything that gives a city its name waits for others who do, and then sees what they did. On
SQLite writers wait for each other anyway."""

from functools import partial

import pytest
from sqlalchemy import insert, select, text

from app.cities import services
from app.cities.importing.applying import tasks
from app.cities.importing.models import CityImport
from app.cities.models import City, NameLock
from app.cities.name_locks import LOCK, digest_of
from app.cities.rules import keys
from app.database.engine import db
from app.errors import Locked
from app.jobs.run import Run
from app.jobs.worker.claim import claim_job
from tests.cities.conftest import ACTOR, add_city, given, stored, version_of
from tests.cities.importing.applying.helpers import begin as begin_applying
from tests.cities.importing.staging import confirm, editor, stage
from tests.factories import at_once
from tests.servers import wait_until

pytestmark = pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)
WAITING = """SELECT COUNT(*) FROM information_schema.processlist
    WHERE info LIKE 'INSERT INTO name_lock%' AND db = DATABASE()"""
NAMES = ("广东", "深圳市")


def create(_person):
    return partial(services.create_city, ACTOR, given(*NAMES, 7), key="key")


def rename(_person):
    city_id = add_city("广东", "旧市")
    return partial(services.update_city, ACTOR, city_id, version_of(city_id), given(*NAMES, 7))


def restore(_person):
    removed_id, _name = services.delete_city(ACTOR, add_city(*NAMES))
    return partial(services.restore_city, ACTOR, removed_id)


def import_file(person):
    """What the job of an import does."""
    job_id = begin_applying(stage(person, "湖南,长沙市,3\n广东,深圳市,7\n"), person)
    return partial(tasks.apply, Run(claim_job(job_id, "test"), editor(person), lambda: False))


def add_sample(_person):
    return partial(services.add_sample_cities, ACTOR)


def begin_to_add(connection):
    """Lock the names and insert the city, written in another way."""
    names = (" 广东", "深圳\u200b市")
    connection.execute(LOCK, [{"digest": digest_of(*NAMES)}])
    connection.execute(
        insert(City.__table__),
        {"provincename": names[0], "cityname": names[1], "usernumber": 1, **keys(*names)},
    )


@pytest.mark.parametrize("begin", [create, rename, restore, import_file, add_sample])
def test_names_that_somebody_else_is_adding_are_locked(any_app, person, begin):
    work = begin(person)
    db.session.rollback()
    before = stored()
    with db.engine.connect() as holder:
        begin_to_add(holder)
        with pytest.raises(Locked):
            work()
        holder.rollback()
    assert stored() == before
    work()


@pytest.mark.parametrize("begin", [create, rename, import_file])
def test_what_waited_for_the_names_sees_the_city_that_was_added(any_app, person, begin):
    work = begin(person)
    db.session.rollback()
    with db.engine.connect() as holder:
        begin_to_add(holder)

        def commit_when_waited_for():
            with db.engine.connect() as watcher:
                wait_until(lambda: watcher.scalar(text(WAITING)) == 1, "it waits")
            holder.commit()

        refused, done = at_once(any_app, work, commit_when_waited_for)
    assert done is None
    if begin is import_file:
        assert db.session.scalars(select(CityImport.skipped)).all() == [1]
    else:
        assert isinstance(refused, services.AlreadyThere), refused
    assert [row[3] for row in stored() if row[2] == "深圳\u200b市"] == [1]
    assert not [row for row in stored() if row[2] == "深圳市"]


def test_an_import_locks_each_name_once_and_unchanged_ones_not(any_app, person):
    add_city("广东", "广州市", 1)
    confirm(stage(person, "广东,广州市,2\n广东,深圳市,7\n湖南,长沙市,3\n"), person)
    db.session.rollback()
    locked = set(db.session.scalars(select(NameLock.digest)))
    assert locked == {digest_of("广东", "深圳市"), digest_of("湖南", "长沙市")}
