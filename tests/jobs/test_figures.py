"""How long jobs wait and take: `pytest -s -m bench tests/jobs/test_figures.py`."""

import statistics
import time

import pytest
from sqlalchemy import func, select

from app.database.engine import db
from app.jobs import kinds, services
from app.jobs.models import ACTIVE, Job
from tests import servers
from tests.factories import OPERATOR
from tests.jobs.conftest import read
from tests.jobs.programs import NOTHING
from tests.jobs.test_kills import started

pytestmark = [pytest.mark.deploy, pytest.mark.bench]

MANY = 500


def test_how_long_jobs_wait_and_take(any_app, site_environment, monkeypatch):
    known = {**any_app.extensions[kinds.EXTENSION], NOTHING.name: NOTHING}
    monkeypatch.setitem(any_app.extensions, kinds.EXTENSION, known)
    env = {**site_environment, "DATABASE_URL": any_app.config["SETTINGS"].database_url}
    with started(env):
        start_one()  # until the programs run
        waits = [start_one() for _ in range(10)]
        begun = time.monotonic()
        for _ in range(MANY):
            services.start_job(OPERATOR, NOTHING.name, {})
        stored = time.monotonic() - begun
        servers.wait_until(lambda: not count_active(), "all are done")
        print(  # noqa: T201
            f"\n{any_app.config['SETTINGS'].database_url.partition(':')[0]}: started after "
            f"{statistics.median(waits):.2f} s (worst {max(waits):.2f}); {MANY} no-ops: stored in "
            f"{stored:.1f} s, done after {time.monotonic() - begun:.1f} s"
        )


def count_active() -> int:
    """How many jobs have not ended; asked so seldom that it does not delay them."""
    time.sleep(0.1)
    active = select(func.count()).select_from(Job).where(Job.state.in_(ACTIVE))
    found = db.session.scalar(active) or 0
    db.session.rollback()
    return found


def start_one() -> float:
    """Start a job; returns after how many seconds a worker began it."""
    job_id = services.start_job(OPERATOR, NOTHING.name, {})
    servers.wait_until(lambda: read(job_id).state == "done", "it is done")
    job = read(job_id)
    return (job.started_at - job.created_at).total_seconds()
