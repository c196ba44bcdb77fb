"""Backups as jobs."""

import pytest

from app.actor import Actor, Role
from app.backups.services import list_backups
from app.jobs.models import JobState
from app.jobs.queries import read_lines
from app.jobs.services import start_job
from app.text import load_messages
from tests.factories import OPERATOR, add_person
from tests.html import Page
from tests.jobs.conftest import beats, work

__all__ = ["beats"]


@pytest.fixture
def admin(filled):
    return Actor(add_person("Root", "admin"), "Root", Role.ADMIN)


def test_a_backup_is_made_and_rehearsed_by_jobs(admin, beats):
    made = work(beats, start_job(admin, "backup.create", {}))
    assert made.state == JobState.DONE
    [backup] = list_backups(OPERATOR)
    assert made.result == backup.name
    assert 0 < made.progress_done <= made.progress_total
    [line] = read_lines(admin, made)
    assert f"{backup.manifest.database.rows:,} rows" in line.shown
    rehearsed = work(beats, start_job(admin, "backup.rehearse", {}))
    assert (rehearsed.state, rehearsed.result) == (JobState.DONE, backup.name)


def test_a_rehearsal_without_a_backup_says_so(admin, beats):
    job = work(beats, start_job(admin, "backup.rehearse", {}))
    assert job.state == JobState.FAILED
    assert load_messages(job.message).startswith("There are no backups in ")


def test_administrators_start_it_on_the_page_of_jobs(as_role):
    kinds = [f"a[href='/jobs/new/backup.{name}']" for name in ("create", "rehearse")]
    page = Page(as_role("admin").get("/jobs"))
    assert [page.has(kind) for kind in kinds] == [True, True]
    assert not Page(as_role("editor").get("/jobs")).has("a[href^='/jobs/new/backup.']")
    started = as_role("admin").submit("/jobs/new/backup.create", {}, page="/jobs/new/backup.create")
    assert started.status_code == 303
    assert as_role("editor").get("/jobs/new/backup.create").status_code == 404
