"""What people do with jobs is in the history, for administrators."""

import pytest

from app.actor import Actor, Role, Via
from app.history.entries import describe
from app.history.subjects import all_subjects
from app.jobs import services
from tests.factories import OPERATOR, actor_of, add_person, entries
from tests.jobs.conftest import work


def nothing(_run):
    """A job that ends at once."""


@pytest.fixture
def admin(any_app):
    return actor_of(add_person("admin", "admin"))


def test_start_and_cancellation_are_recorded(any_app, kind, admin):
    job_id = services.start_job(admin, kind(nothing).name, {"secret": "x"})
    services.cancel_job(admin, job_id)
    found = entries("job")
    assert [(each.action, each.subject_id, each.actor_id) for each in found] == [
        ("job.start", job_id, admin.id),
        ("job.cancel", job_id, admin.id),
    ]
    assert "secret" not in f"{found[0].after}{found[1].before}"
    with any_app.test_request_context():
        rows = describe(admin, found)
    assert [(row.action, row.label, row.url) for row in rows] == [
        ("Job started", "test", f"/jobs/{job_id}"),
        ("Job cancelled", "test", f"/jobs/{job_id}"),
    ]


def test_a_shared_result_is_not_recorded_but_its_cancellation_is(any_app, beats, admin):
    job_id = services.start_job(admin, "sum", {"a": 1, "b": 2})
    assert entries("job") == []
    services.cancel_job(admin, job_id)
    services.retry_job(admin, job_id)
    assert [each.action for each in entries("job")] == ["job.cancel", "job.retry"]


def test_schedules_have_a_record_of_their_own(kind):
    schedule = Actor(None, "schedule", Role.ADMIN, Via.SCHEDULE)
    services.start_job(schedule, kind(nothing).name, {})
    assert entries("job") == []


def test_who_may_read_about_a_job(kind, beats, admin):
    editor, other = (actor_of(add_person(name, "editor")) for name in ("editor", "other"))
    job_id = services.start_job(editor, kind(nothing).name, {})
    work(beats, job_id)
    may_read = all_subjects()["job"].may_read
    assert [list(may_read(each, [job_id])) for each in (editor, other, admin, OPERATOR)] == [
        [job_id], [], [job_id], [job_id],
    ]  # fmt: skip
