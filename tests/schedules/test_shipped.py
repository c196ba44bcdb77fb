"""Schedules that ship with the product: all housekeeping, and what is done every night."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database.dialects import database_time
from app.database.engine import db
from app.errors import Conflict
from app.jobs import kinds
from app.schedules import services, shipped
from app.schedules.models import Schedule
from app.schedules.running import due, housekeeping
from tests.factories import OPERATOR, actor_of, add_person, at_once, entries
from tests.html import Page
from tests.jobs.conftest import read as read_job
from tests.jobs.conftest import work as do_job
from tests.schedules.conftest import create, given, make_due, read, runs

HOUSEKEEPING = {
    "cities.delete_imports",
    "cities.delete_lines",
    "cities.delete_removed",
    "cities.fill_keys",
    "database.search_keys",
    "files.delete_removed",
    "files.delete_results",
    "files.store_counts",
    "forms.delete_keys",
    "jobs.delete_ended",
    "schedules.delete_runs",
    "sessions.compare",
}
NIGHTLY = {
    "nightly-backup": "0 2 * * *",
    "nightly-export": "0 4 * * *",
    "nightly-rehearsal": "0 3 * * *",
}


def rows():
    db.session.rollback()
    return {row.shipped: row for row in db.session.scalars(select(Schedule)) if row.shipped}


@pytest.fixture
def stored(any_app):
    """The rows of all that ship."""
    shipped.store_new()
    return rows()


def test_the_first_clock_stores_all(any_app):
    assert shipped.store_new() == len(HOUSEKEEPING) + len(NIGHTLY)
    assert shipped.store_new() == 0
    found = rows()
    assert set(found) == HOUSEKEEPING | set(NIGHTLY)
    assert {name for name, kind in kinds.all_kinds().items() if kind.housekeeping} == HOUSEKEEPING
    for name, row in found.items():
        assert (row.person_id, row.paused, row.version) == (None, name == "nightly-export", 1)
        assert row.kind in kinds.all_kinds()
        if name in NIGHTLY:
            assert (row.expression, row.at_once) == (NIGHTLY[name], 1)
            assert row.time_zone == any_app.config["SETTINGS"].time_zone
            assert row.paused or row.next_at > database_time()
        else:
            assert row.next_at <= database_time()


def test_clocks_that_begin_at_once_store_each_once(any_app):
    at_once(any_app, *[shipped.store_new] * 3)
    assert set(rows()) == HOUSEKEEPING | set(NIGHTLY)


def test_a_name_that_a_person_uses_stays_theirs(any_app):
    own = create(kind="sum", args={"a": "1", "b": "2"}, name="nightly-backup")
    shipped.store_new()
    assert read(own).shipped is None
    assert rows()["nightly-backup"].name == "nightly-backup (2)"


def test_only_what_is_taken_is_passed_over(stored):
    given = shipped.all_shipped()["nightly-backup"]
    assert not shipped.insert_row(given, "another name")
    with pytest.raises(IntegrityError):
        shipped.insert_row(replace(given, name="new"), None)


def test_all_housekeeping_is_done_without_an_error(stored):
    for _ in HOUSEKEEPING:
        housekeeping.work()
    assert {name for name, row in rows().items() if row.ran_at} == HOUSEKEEPING


def test_a_night_that_was_slept_through_is_made_up_for_within_a_day(stored):
    row = stored["nightly-backup"]
    make_due(row.id, 8 * 3600)
    due.work()
    *merged, run = runs(row.id)  # a moment of the hours since then may be due, too
    assert {each.state for each in merged} <= {"merged"}
    job = read_job(run.job_id)
    assert (run.state, job.kind, job.created_by, job.via) == (
        "started", "backup.create", None, "schedule",
    )  # fmt: skip
    assert read(row.id).next_at - database_time() <= timedelta(days=1)


def test_the_export_is_resumed_by_an_administrator(stored, beats):
    admin = actor_of(add_person("admin", "admin"))
    row = stored["nightly-export"]
    assert services.resume_schedule(admin, row.id)
    job = do_job(beats, services.run_schedule(admin, row.id))
    assert (job.state, job.created_by) == ("done", None)
    assert job.file_id is not None


def test_they_are_paused_and_not_removed(stored):
    own = create(kind="sum", args={"a": "1", "b": "2"})
    for row in (stored["jobs.delete_ended"], stored["nightly-backup"]):
        assert services.pause_schedule(OPERATOR, row.id)
        with pytest.raises(Conflict):
            services.delete_schedule(OPERATOR, row.id)
        assert services.resume_schedule(OPERATOR, row.id)
    assert services.delete_all(OPERATOR) == 1
    assert set(rows()) == HOUSEKEEPING | set(NIGHTLY)
    assert [each.subject_id for each in entries("schedule")][-1] == own


def test_the_time_of_a_nightly_one_is_changed_not_its_name_and_owner(stored):
    admin = actor_of(add_person("admin", "admin"))
    row = stored["nightly-backup"]
    more = given("mine", trigger="cron", expression="30 4 * * *", time_zone="UTC")
    services.update_schedule(admin, row.id, row.version, more, {})
    row = read(row.id)
    assert (row.name, row.expression, row.person_id) == ("nightly-backup", "30 4 * * *", None)
    assert (row.next_at.hour, row.next_at.minute) == (4, 30)


def test_when_housekeeping_is_done_is_fixed(stored):
    row = stored["jobs.delete_ended"]
    with pytest.raises(Conflict):
        services.update_schedule(OPERATOR, row.id, row.version, given(), {})
    with pytest.raises(Conflict):
        create(kind="jobs.delete_ended")


def test_the_pages(app, as_role):
    with app.app_context():
        shipped.store_new()
        found = rows()
        night, short = found["nightly-backup"].id, found["jobs.delete_ended"].id
        make_due(short, 60)
        housekeeping.work()
    admin = as_role("admin")
    page = Page(admin.get("/schedules"))
    assert page.texts("tbody .main")[: len(NIGHTLY)] == [
        "Nightly backup", "Nightly export of cities", "Nightly rehearsal of a restore",
    ]  # fmt: skip
    assert len(page.all("h2 ~ .sheet tbody tr")) == len(HOUSEKEEPING)
    assert "Done" in page.text("h2 ~ .sheet")
    assert not page.has("a[href='/schedules/remove-all']")
    shown = Page(admin.get(f"/schedules/{night}"))
    assert shown.text("h1") == "Nightly backup"
    assert "Built in" in shown.text(".facts")
    assert not shown.has(f"form[action*='/schedules/{night}/remove']")
    form = Page(admin.get(f"/schedules/{night}/edit"))
    assert form.has("#expression")
    assert not form.has("#name")
    shown = Page(admin.get(f"/schedules/{short}"))
    assert not shown.has(f"a[href='/schedules/{short}/edit']")
    assert "Done" in shown.text(".facts")
    assert admin.get(f"/schedules/{short}/edit").status_code == 409
    chinese = Page(admin.get("/schedules", headers={"Accept-Language": "zh"}))
    assert "每晚备份" in chinese.texts("tbody .main")


def test_a_nightly_one_is_changed_on_its_page(app, as_role):
    with app.app_context():
        shipped.store_new()
        night = rows()["nightly-backup"].id
    admin = as_role("admin")
    address = f"/schedules/{night}/edit"
    fields = {
        "trigger": "cron", "expression": "15 1 * * *", "time_zone": "UTC", "coalesce": "y",
        "at_once": "1", "grace_seconds": "3600", "version": "1",
    }  # fmt: skip
    assert admin.submit(address, fields).status_code == 303
    with app.app_context():
        assert (read(night).expression, read(night).name) == ("15 1 * * *", "nightly-backup")
    sent = admin.submit(address, {**fields, "version": "2", "expression": "nonsense"})
    assert sent.status_code == 422


def test_the_commands(app, flask):
    with app.app_context():
        shipped.store_new()
    assert "nightly-backup" in flask("schedules", "list").output
    refused = flask("schedules", "remove", "nightly-backup")
    assert refused.exit_code != 0
    assert "can be paused" in refused.output
    assert flask("schedules", "pause", "jobs.delete_ended").output == "paused\n"
    assert "Built in" in flask("schedules", "show", "nightly-backup").output
