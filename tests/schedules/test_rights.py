"""Through a schedule nobody does more than its person may: when it is saved, and when it runs."""

from dataclasses import replace

import pytest

from app.actor import Role, Via
from app.auth.models import Person
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.errors import Forbidden
from app.schedules import services
from app.schedules.running import due
from app.text import load_messages
from tests.factories import OPERATOR, actor_of, add_person, add_token
from tests.jobs.conftest import read as read_job
from tests.jobs.conftest import work
from tests.schedules.conftest import create, given, make_due, read, runs

pytestmark = pytest.mark.usefixtures("any_app")

NOT_INCLUDED = "Your role does not include this."
NO_ACCESS = "The person or token that started this has no access any more."


@pytest.fixture
def admin():
    return actor_of(add_person("admin", "admin"))


def change(person_id, **values):
    """Change a person as another administrator does."""
    for name, value in values.items():
        setattr(db.session.get(Person, person_id), name, value)
    db.session.commit()


def run_due(schedule_id):
    """The job that the clock starts now."""
    make_due(schedule_id, 1)
    due.work()
    return runs(schedule_id)[-1].job_id


@pytest.mark.parametrize("by_token", [False, True])
def test_a_token_makes_no_schedules_and_runs_none(kind, admin, by_token):
    kind(by_token=by_token)
    schedule_id = create(admin)
    add_token(admin.id)
    script = replace(admin, via=Via.TOKEN, token_id=1)
    for attempt in (
        lambda: create(script, name="other"),
        lambda: services.update_schedule(script, schedule_id, 1, given(), {}),
        lambda: services.run_schedule(script, schedule_id),
        lambda: services.resume_schedule(script, schedule_id),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert runs(schedule_id) == []


@pytest.mark.parametrize(
    ("needed", "remaining", "state"),
    [
        ("admin", "editor", "failed"),
        ("editor", "viewer", "failed"),
        ("editor", "editor", "done"),
        ("viewer", "viewer", "done"),
    ],
)
def test_whoever_was_demoted_runs_what_is_still_theirs(
    kind, beats, admin, needed, remaining, state
):
    seen = []
    kind(role=Role(needed), run=lambda run: seen.append(run.actor.role))
    schedule_id = create(admin)
    change(admin.id, role=remaining)
    job = work(beats, run_due(schedule_id))
    assert job.state == state
    assert seen == ([remaining] if state == "done" else [])
    if state == "failed":
        assert load_messages(job.message) == NOT_INCLUDED
    due.work()
    assert runs(schedule_id)[-1].state == state


def test_another_administrator_lends_no_rights_by_running_it(kind, beats, admin):
    kind(role=Role.ADMIN)
    schedule_id = create(admin)
    change(admin.id, role="viewer")
    other = actor_of(add_person("other", "admin"))
    job = work(beats, services.run_schedule(other, schedule_id))
    assert (job.state, job.created_by) == ("failed", admin.id)
    services.update_schedule(other, schedule_id, 1, given(), {})  # who saves it, answers for it
    due.work()
    job = work(beats, services.run_schedule(other, schedule_id))
    assert (job.state, job.created_by) == ("done", other.id)


def test_of_a_disabled_person_nothing_runs(kind, beats, admin):
    kind(role=Role.VIEWER)
    schedule_id = create(admin)
    change(admin.id, active=False)
    job = work(beats, run_due(schedule_id))
    assert (job.state, load_messages(job.message)) == ("failed", NO_ACCESS)


def test_what_a_token_may_not_start_a_schedule_of_its_person_may(kind, beats, admin):
    """The person saved it on a page; that a token of theirs ended does not matter."""
    kind(by_token=False)
    schedule_id = create(admin)
    add_token(admin.id)
    tokens.revoke_token(admin, 1)
    assert work(beats, run_due(schedule_id)).state == "done"


def test_a_kind_that_needs_more_by_now_is_refused(kind, beats, admin):
    """As after an upgrade."""
    kind(role=Role.EDITOR)
    schedule_id = create(admin)
    change(admin.id, role="editor")
    kind(role=Role.ADMIN)
    assert work(beats, run_due(schedule_id)).state == "failed"


def test_a_job_of_the_operator_belongs_to_nobody(kind, beats):
    seen = []
    kind(role=Role.ADMIN, run=lambda run: seen.append(run.actor))
    job = work(beats, run_due(create(OPERATOR)))
    [actor] = seen
    assert (job.created_by, job.via, actor.id, actor.via) == (None, "schedule", None, Via.SCHEDULE)
    assert read_job(job.id).state == "done"
    assert read(1).person_id is None
