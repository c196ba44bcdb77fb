"""`make demo`: its sample data, and that it does not use the settings of a real installation."""

import io
import os
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select
from werkzeug.security import check_password_hash

from app.auth.models import Person
from app.cities.models import City, RemovedCity
from app.cli.demo import contents
from app.cli.demo.command import fill, isolate_environment
from app.config import Settings
from app.database.engine import db
from app.files.models import File
from app.history.models import HistoryEntry
from app.numbers.counters import read_statistics
from app.times import now

REAL = {
    "WEB_WORKERS": "7",
    "PORT": "8123",
    "SECRET_KEY": "k" * 64,
    "SECURE": "1",
    "TRUSTED_PROXIES": "1",
    "PUBLIC_READ": "1",
    "DATABASE_URL": "mysql://u:p@127.0.0.1/gazetteer",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "UPLOAD_MAX_MB": "3",
}


def test_settings_of_the_env_file_are_removed(tmp_path, monkeypatch):
    """The flask command has loaded the file into the environment before the demo starts."""
    file = tmp_path / "real.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in REAL.items()))
    for name, value in {**REAL, "ENV_FILE": str(file), "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORT", "8001")  # make demo PORT=8001
    isolate_environment(tmp_path / "demo")
    assert REAL.keys() & os.environ.keys() == {"PORT"}
    chosen = Settings.load()
    assert (chosen.port, chosen.web_workers, chosen.instance) == (8001, 2, tmp_path / "demo")
    assert (chosen.secure, chosen.trusted_proxies, chosen.public_read) == (False, 0, False)
    assert chosen.private_redis


def test_exported_settings_that_a_demo_must_not_share_are_removed(tmp_path, monkeypatch):
    for name, value in {**REAL, "ENV_FILE": os.devnull, "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    isolate_environment(tmp_path)
    assert REAL.keys() & os.environ.keys() == {"WEB_WORKERS", "PORT", "UPLOAD_MAX_MB"}


@pytest.fixture
def week(app):
    """The sample data, in the context of an application."""
    with app.app_context():
        yield fill()


def entries():
    return db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)).all()


def test_the_week_is_written_by_three_people_day_by_day_in_its_order(week):
    people = {person.id: person for person in db.session.scalars(select(Person))}
    assert {person.name: person.role for person in people.values()} == {
        "Ada": "admin", "Lin": "editor", "Wei": "viewer",
    }  # fmt: skip
    actors = {people[entry.actor_id].name for entry in entries() if entry.actor_id}
    assert actors == {"Ada", "Lin"}  # a viewer changes nothing
    moments = [entry.at for entry in entries()]
    assert moments == sorted(moments)
    assert len({moment.date() for moment in moments}) >= 6  # a day of UTC is another one
    assert moments[-1] - moments[0] > timedelta(days=5, hours=12)
    assert now() - timedelta(hours=1) < moments[-1] < now()
    subjects = {entry.subject_id for entry in entries() if entry.action == "city.create"}
    created = db.session.execute(select(City.id, City.created_at)).all()
    assert {city_id for city_id, _moment in created} <= subjects
    assert all(moment < now() - timedelta(minutes=20) for _id, moment in created)


def test_the_week_has_files_in_folders_with_versions_and_removed_ones(week):
    shown = select(File).where(File.removed_at.is_(None), File.replaced_at.is_(None))
    files = db.session.scalars(shown).all()
    assert len(files) == 60
    assert {"survey/harbour", "reports", "tables", ""} <= {file.folder for file in files}
    assert {"jpg", "png", "pdf", "csv", "txt", "md", "wav", "svg"} <= {f.extension for f in files}
    assert max(file.version for file in files) == 3
    assert sum(file.size for file in files) < 3_000_000
    assert db.session.scalar(select(func.count()).where(File.removed_at.is_not(None))) == 3
    assert db.session.scalars(select(RemovedCity.cityname)).all() == ["新深圳", "嘉峪关市"]


def test_its_figures_were_asked_for_over_hours(week):
    statistics = read_statistics()
    assert len([hour for hour in statistics.hours if hour.counts.hits]) > 8
    assert statistics.total.hits > 4 * statistics.total.computed > 0
    assert statistics.workers[0].asked <= now()


def test_its_accounts_can_sign_in(week):
    for name, password in week.items():
        person = db.session.scalars(select(Person).where(Person.name == name)).one()
        assert check_password_hash(person.password_hash, password)


def test_its_pictures_and_pdfs_are_readable(app):
    picture = Image.open(io.BytesIO(contents.photo(1)))
    picture.load()
    assert (picture.format, picture.size) == ("JPEG", contents.SIZE)
    pdf = contents.document("Title (draft)", ["one"], [("North", 5)])
    table = int(pdf.split(b"startxref\n")[1].split()[0])
    assert pdf[table:].startswith(b"xref\n0 6\n")
    places = [int(line[:10]) for line in pdf[table:].splitlines()[3:8]]
    assert [pdf[place:].split()[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]
