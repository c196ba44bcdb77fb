"""Jobs that ended long ago are deleted with their logs; others are not."""

import threading

import pytest
from sqlalchemy import event, select

from app.database.engine import db
from app.jobs import services
from app.jobs.models import Job, JobLine, JobState
from app.jobs.retention import delete_ended
from tests.factories import OPERATOR, actor_of, add_person
from tests.jobs.conftest import age, work, write

DAY = 86_400


def test_old_jobs_are_deleted_with_their_logs(kind, beats):
    editor = actor_of(add_person("editor", "editor"))
    own = kind(lambda run: run.log("done")).name
    shared = kind(lambda run: run.log("done"), "shared", key_of=lambda args: args["key"]).name
    ids = {}
    for key, actor, name, days in (
        ("old", editor, own, 31), ("newer", editor, own, 29),
        ("old of the operator", OPERATOR, own, 31), ("operator's", OPERATOR, own, 29),
        ("old result", editor, shared, 2), ("result", editor, shared, 0),
    ):  # fmt: skip
        ids[key] = services.start_job(actor, name, {"key": key})
        work(beats, ids[key])
        age(ids[key], ended_at=days * DAY)
    ids["waiting"] = services.start_job(editor, own, {})
    age(ids["waiting"], created_at=100 * DAY)
    assert delete_ended() == 3
    left = {ids[key] for key in ("newer", "operator's", "result", "waiting")}
    assert set(db.session.scalars(select(Job.id))) == left
    assert set(db.session.scalars(select(JobLine.job_id))) == left - {ids["waiting"]}
    db.session.rollback()
    assert delete_ended() == 0


@pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)
def test_a_job_that_is_started_again_at_that_moment_is_not_deleted(any_app, kind, beats):
    """MariaDB alone: on SQLite nobody writes between the two statements."""
    restarted = []
    job_id = services.start_job(OPERATOR, kind(lambda _run: None).name, {})
    work(beats, job_id)
    age(job_id, ended_at=31 * DAY)

    def start_again():
        with any_app.app_context():
            write(job_id, state=JobState.QUEUED, ended_at=None)

    def before(_connection, _cursor, statement, *_more):
        if statement.startswith("DELETE FROM job ") and not restarted:
            restarted.append(statement)
            thread = threading.Thread(target=start_again)
            thread.start()
            thread.join(60)

    event.listen(db.engine, "before_cursor_execute", before)
    try:
        assert delete_ended() == 0
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
    assert len(restarted) == 1
    assert set(db.session.scalars(select(Job.id))) == {job_id}
