"""kill -9 of what applies and undoes an import, at any moment: no line is applied, undone or
recorded twice, and none is lost."""

import random
import time
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import func, select

from app.cities.importing.applying.services import undo_import
from app.cities.importing.models import CityImport
from app.cities.models import City, RemovedCity
from app.database.engine import db
from app.history.models import HistoryEntry
from app.jobs.models import Job
from tests import servers
from tests.cities.conftest import add_cities
from tests.cities.importing.applying.helpers import begin
from tests.cities.importing.staging import editor, register, stage
from tests.jobs.test_kills import LONG, Programs

pytestmark = pytest.mark.deploy


class ImportPrograms(Programs):
    module = "tests.cities.importing.applying.programs"


def state_of(import_id):
    """The state of an import, and how far its job is."""
    query = select(CityImport.state, Job.state, Job.progress_done)
    row = db.session.execute(query.join(Job, Job.id == CityImport.job_id)).one()
    db.session.rollback()
    return tuple(row)


def kill_until(programs, import_id, end, victims):
    """Kill these, the worker or its child, while it makes progress; then wait for the end of its
    job."""
    chance = random.Random(7)

    def goes_on(before):
        state, _job, done = state_of(import_id)
        return done > before or state == end  # on a fast machine it ends between two kills

    for victim in victims:
        servers.wait_until(partial(goes_on, state_of(import_id)[2]), "it goes on", 600)
        time.sleep(chance.uniform(0, 0.3))
        if state_of(import_id)[0] != end:
            programs.kill(victim)
    servers.wait_until(lambda: state_of(import_id)[:2] == (end, "done"), "it has ended", 600)


def recorded(action):
    """How often each city was recorded with this action."""
    query = select(HistoryEntry.subject_id).where(HistoryEntry.action == action)
    return Counter(db.session.scalars(query))


@pytest.mark.parametrize(("kills", "lines"), [(1, 900), pytest.param(20, 20_000, marks=LONG)])
def test_every_line_is_applied_and_undone_once(any_app, site_environment, person, kills, lines):
    env = {**site_environment, "DATABASE_URL": any_app.config["SETTINGS"].database_url}
    add_cities(*(("a", f"b{n}", 1) for n in range(0, lines, 3)))
    before = register()
    import_id = stage(person, "".join(f"a,b{n},{n + 2}\n" for n in range(lines)))
    with servers.short_folder("kills") as folder:
        programs = ImportPrograms(folder, env, "always")
        try:
            begin(import_id, person)
            kill_until(
                programs, import_id, "applied", ["child", "worker"] * (kills // 2) or ["child"]
            )
            assert sorted(register()) == sorted(("a", f"b{n}", n + 2) for n in range(lines))
            new = lines - len(before)
            assert [*recorded("city.create").values()] == [1] * new
            assert [*recorded("city.update").values()] == [1] * len(before)
            undo_import(editor(person), import_id)
            kill_until(
                programs, import_id, "undone", ["worker", "child"] * (kills // 2) or ["worker"]
            )
        finally:
            programs.stop()
    db.session.rollback()
    assert register() == before
    assert db.session.scalar(select(func.count()).select_from(RemovedCity)) == new
    assert [*recorded("city.delete").values()] == [1] * new
    assert [*recorded("city.update").values()] == [2] * len(before)
    assert set(db.session.scalars(select(City.version))) == {3}
