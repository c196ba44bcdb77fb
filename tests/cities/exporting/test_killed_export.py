"""kill -9 of the process that exports: in the end there is one file, and it is whole."""

import random

import pytest
from sqlalchemy import Row, select

from app.cities.exporting.csv_writer import stream_csv
from app.cities.exporting.queries import batches
from app.cities.listing.queries import CityListing
from app.current import settings
from app.database.engine import db
from app.files.models import File
from app.files.storage.folder import path_of
from app.jobs import services
from app.jobs.models import Job
from tests import servers
from tests.cities.conftest import ACTOR, add_cities, multiply_cities
from tests.factories import actor_of, add_person
from tests.jobs.test_kills import started

pytestmark = [pytest.mark.deploy, pytest.mark.soak, pytest.mark.timeout(1800)]


def read(job_id: int) -> Row[str, int, int]:
    db.session.rollback()
    columns = (Job.state, Job.progress_done, Job.attempt)
    return db.session.execute(select(*columns).where(Job.id == job_id)).one()


def test_the_file_is_there_once(any_app, site_environment):
    add_cities(*(("广东", f"城市{n}", n) for n in range(1000)))
    multiply_cities(50)
    viewer, chance = actor_of(add_person("viewer")), random.Random(3)
    env = {**site_environment, "DATABASE_URL": any_app.config["SETTINGS"].database_url}
    jobs, killed = 20, 0
    with started(env) as programs:
        for _ in range(jobs):
            job_id = services.start_job(viewer, "cities.export", {"format": "utf-8"})
            rows = chance.randrange(1, 50_000)
            servers.wait_until(lambda wanted=rows, own=job_id: read(own)[1] >= wanted, "rows", 300)
            programs.kill("child")
            servers.wait_until(lambda own=job_id: read(own)[0] == "done", "it is done", 300)
            killed += read(job_id)[2] > 1
    assert killed > jobs // 2  # the others were done before
    whole = b"".join(stream_csv(batches(ACTOR, CityListing())))
    files = db.session.scalars(select(File)).all()
    assert len(files) == jobs
    for file in files:
        assert path_of(settings().files_dir, file.stored_name).read_bytes() == whole
