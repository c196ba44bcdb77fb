"""Jobs that ended long ago are deleted with their logs; others are not."""

from sqlalchemy import select

from app.database.engine import db
from app.jobs import services
from app.jobs.models import Job, JobLine
from app.jobs.retention import delete_ended
from tests.factories import OPERATOR, actor_of, add_person
from tests.jobs.conftest import age, work

DAY = 86_400


def test_old_jobs_are_deleted_with_their_logs(kind, beats):
    editor = actor_of(add_person("editor", "editor"))
    name = kind(lambda run: run.log("done")).name
    ids = {}
    for key, actor, days in (
        ("old", editor, 31), ("newer", editor, 29),
        ("nobodys", OPERATOR, 2), ("today", OPERATOR, 0),
    ):  # fmt: skip
        ids[key] = services.start_job(actor, name, {})
        work(beats, ids[key])
        age(ids[key], ended_at=days * DAY)
    ids["waiting"] = services.start_job(editor, name, {})
    age(ids["waiting"], created_at=100 * DAY)
    assert delete_ended() == 2
    left = {ids[key] for key in ("newer", "today", "waiting")}
    assert set(db.session.scalars(select(Job.id))) == left
    assert set(db.session.scalars(select(JobLine.job_id))) == left - {ids["waiting"]}
    db.session.rollback()
    assert delete_ended() == 0
