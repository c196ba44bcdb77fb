"""Making, changing, pausing, running and removing schedules; who may, and two at once."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.actor import Via
from app.database.dialects import database_time
from app.database.engine import db
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.jobs.models import Job
from app.schedules import queries, services
from tests.factories import OPERATOR, actor_of, add_person, at_once, entries
from tests.jobs.conftest import read as read_job
from tests.schedules.conftest import create, given, make_due, read, runs, states

pytestmark = pytest.mark.usefixtures("any_app")


@pytest.fixture
def admin(any_app):
    return actor_of(add_person("admin", "admin"))


def test_a_schedule_is_made(kind, admin):
    kind()
    row = read(create(admin, args={"a": 1}, trigger="cron", expression=" 0  8 * * MON "))
    assert (row.name, row.expression, row.time_zone) == ("nightly", "0 8 * * mon", "Asia/Shanghai")
    assert (row.arguments, row.person_id, row.paused, row.version) == ({"a": 1}, admin.id, False, 1)
    assert row.next_at == row.timing.next_after(row.created_at)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_administrators_make_schedules(kind, role):
    kind()
    with pytest.raises(Forbidden):
        create(actor_of(add_person(role, role)))


def test_all_that_is_wrong_is_said_at_once(kind):
    kind()
    with pytest.raises(Invalid) as refused:
        create(args={"bad": 1}, name=" ", expression="0", at_once=0, grace_seconds=None)
    fields = {"bad", "name", "expression", "at_once", "grace_seconds"}
    assert set(refused.value.fields) == fields


def test_an_unknown_kind_and_an_unknown_schedule(kind):
    with pytest.raises(NotFound):
        create(kind="unknown")
    for change in (services.pause_schedule, services.resume_schedule, services.delete_schedule):
        with pytest.raises(NotFound):
            change(OPERATOR, 12345)


def test_a_name_is_used_once(any_app, kind):
    kind()
    results = at_once(any_app, *[lambda: attempt(create)] * 2)
    assert results.count("taken") == 1


def attempt(work):
    try:
        return work()
    except Invalid as error:
        return "taken" if "name" in error.fields else error
    except Conflict:
        return "conflict"


def test_a_change_that_somebody_else_made_first(any_app, kind, admin):
    kind()
    schedule_id = create()

    def change(expression):
        more = given(expression=expression)
        return attempt(lambda: services.update_schedule(admin, schedule_id, 1, more, {}))

    results = at_once(any_app, lambda: change("2 h"), lambda: change("3 h"))
    assert sorted(map(str, results)) == ["None", "conflict"]
    row = read(schedule_id)
    assert (row.version, row.person_id) == (2, admin.id)


def test_a_change_of_the_name_leaves_the_moments_of_an_interval(kind):
    kind()
    schedule_id = create(expression="5 min")
    before = read(schedule_id)
    start, next_at = before.starts_at, before.next_at
    services.update_schedule(OPERATOR, schedule_id, 1, given("other", expression="5 min"), {})
    after = read(schedule_id)
    assert (after.name, after.starts_at, after.next_at) == ("other", start, next_at)


@pytest.mark.parametrize(
    ("trigger", "expression"), [("date", "2030-12-24 08:00"), ("cron", "0 8 24 12 *")]
)
def test_a_change_of_the_time_zone_moves_the_next_run(kind, trigger, expression):
    kind()
    when = {"trigger": trigger, "expression": expression}
    schedule_id = create(**when, time_zone="Asia/Shanghai")
    changed = given(**when, time_zone="Europe/Berlin")
    services.update_schedule(OPERATOR, schedule_id, 1, changed, {})
    row = read(schedule_id)
    local = row.next_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert (row.time_zone, f"{local:%m-%d %H:%M}") == ("Europe/Berlin", "12-24 08:00")


def test_an_interval_goes_on_in_another_time_zone(kind):
    kind()
    schedule_id = create(expression="5 min")
    before = read(schedule_id)
    start, next_at = before.starts_at, before.next_at
    changed = given(expression="5 min", time_zone="UTC")
    services.update_schedule(OPERATOR, schedule_id, 1, changed, {})
    after = read(schedule_id)
    assert (after.time_zone, after.starts_at, after.next_at) == ("UTC", start, next_at)


def test_what_is_due_while_somebody_renames_the_schedule_is_still_run(kind):
    kind()
    schedule_id = create(expression="1 h")
    make_due(schedule_id, 5)
    due = read(schedule_id).next_at
    services.update_schedule(OPERATOR, schedule_id, 1, given("other", expression="1 h"), {})
    assert read(schedule_id).next_at == due


def test_pausing_and_going_on(kind):
    kind()
    schedule_id = create()
    assert services.pause_schedule(OPERATOR, schedule_id)
    assert not services.pause_schedule(OPERATOR, schedule_id)
    assert read(schedule_id).next_at is None
    services.update_schedule(OPERATOR, schedule_id, 2, given(expression="2 h"), {})
    assert read(schedule_id).next_at is None
    assert services.resume_schedule(OPERATOR, schedule_id)
    assert not services.resume_schedule(OPERATOR, schedule_id)
    assert read(schedule_id).next_at > database_time()


def test_what_is_over_does_not_go_on(kind):
    kind()
    moment = database_time() + timedelta(seconds=3600)
    when = {"trigger": "date", "expression": f"{moment:%Y-%m-%d %H:%M}", "time_zone": "UTC"}
    schedule_id = create(**when)
    services.pause_schedule(OPERATOR, schedule_id)
    row = read(schedule_id)
    row.expression = "2020-01-01 00:00"
    db.session.commit()
    with pytest.raises(Conflict):
        services.resume_schedule(OPERATOR, schedule_id)


def test_running_now(kind, admin):
    kind()
    schedule_id = create(admin, args={"a": 1}, at_once=2)
    services.pause_schedule(admin, schedule_id)
    job: Job = read_job(services.run_schedule(OPERATOR, schedule_id))
    assert (job.kind, json.loads(job.args), job.created_by) == ("test", {"a": 1}, admin.id)
    assert (job.via, states(schedule_id)) == (Via.SCHEDULE, ["started"])
    assert runs(schedule_id)[0].job_id == job.id
    services.run_schedule(OPERATOR, schedule_id)
    with pytest.raises(Conflict):
        services.run_schedule(OPERATOR, schedule_id)


def test_removing_one_and_all(kind):
    kind()
    ids = [create(name=name) for name in ("one", "two", "three")]
    job_id = services.run_schedule(OPERATOR, ids[0])
    assert services.delete_schedule(OPERATOR, ids[0]) == "one"
    assert read_job(job_id).id == job_id
    assert runs(ids[0]) == []
    assert services.delete_all(OPERATOR) == 2
    assert services.delete_all(OPERATOR) == 0
    assert queries.list_schedules(OPERATOR) == []


def test_what_is_done_is_in_the_history_without_the_arguments(kind, admin):
    kind()
    schedule_id = create(admin, args={"secret": "x"})
    services.pause_schedule(admin, schedule_id)
    services.resume_schedule(admin, schedule_id)
    services.run_schedule(admin, schedule_id)
    services.delete_schedule(admin, schedule_id)
    found = entries("schedule")
    actions = ["create", "pause", "resume", "run", "delete"]
    assert [each.action for each in found] == [f"schedule.{each}" for each in actions]
    assert "secret" not in "".join(f"{each.before}{each.after}" for each in found)
    assert entries("job") == []
