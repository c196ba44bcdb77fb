"""Doing jobs: claimed once, in the name of their person, and how each way of ending is written."""

import os
import signal
import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.actor import Actor, Role, Via
from app.auth import services as auth
from app.auth.queries import find_person
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Conflict, Forbidden
from app.jobs import services
from app.jobs.models import JobState
from app.jobs.run import Cancelled, Lost, Stopping
from app.jobs.worker import beats as beating
from app.jobs.worker import claim as claims
from app.jobs.worker.claim import claim_job, take_back
from app.text import N_, load_messages
from tests.factories import OPERATOR, actor_of, add_person, add_token, at_once
from tests.jobs.conftest import age, other, read, work, write


def nothing(_run):
    """A job that ends at once."""


@pytest.fixture
def editor(any_app):
    return actor_of(add_person("editor", "editor"))


def start(actor, kind, **args):
    return services.start_job(actor, kind.name, args)


def test_a_job_is_done_in_the_name_of_its_person(kind, beats, editor):
    seen = []
    added = kind(lambda run: seen.append((run.args, run.actor)) or "5")
    job = work(beats, start(editor, added, a=2))
    assert (job.state, job.result, job.attempt, job.running_key) == ("done", "5", 1, None)
    assert job.started_at <= job.ended_at
    [(args, actor)] = seen
    assert args == {"a": 2}
    assert (actor.id, actor.role, actor.via) == (editor.id, Role.EDITOR, Via.JOB)


def test_the_operator_and_tokens_act_as_themselves(kind, beats, editor):
    seen = []
    added = kind(lambda run: seen.append(run.actor))
    add_token(editor.id)
    token = Actor(editor.id, "editor", Role.EDITOR, Via.TOKEN, token_id=1)
    for actor in (OPERATOR, token):
        assert work(beats, start(actor, added)).state == "done"
    assert [(each.id, each.via, each.token_id) for each in seen] == [
        (None, Via.COMMAND, None),
        (editor.id, Via.TOKEN, 1),
    ]


@pytest.mark.parametrize("change", ["disabled", "revoked", "demoted"])
def test_whoever_lost_access_since_gets_nothing_done(kind, beats, editor, change):
    added = kind(nothing)
    add_token(editor.id)
    job_id = start(Actor(editor.id, "editor", Role.EDITOR, Via.TOKEN, token_id=1), added)
    if change == "disabled":
        auth.set_active(OPERATOR, editor.id, False)
    elif change == "revoked":
        tokens.revoke_token(editor, 1)
    else:
        auth.set_role(OPERATOR, editor.id, "viewer")
    job = work(beats, job_id)
    assert job.state == "failed"
    role = "Your role does not include this."
    no_access = "The person or token that started this has no access any more."
    assert load_messages(job.message) == (role if change == "demoted" else no_access)


def test_of_two_workers_one_does_the_job(any_app, kind, editor):
    job_id = start(editor, kind(nothing))
    claimed = at_once(any_app, *[lambda name=name: claim_job(job_id, name) for name in "abcd"])
    assert len([claim for claim in claimed if claim]) == 1
    assert read(job_id).attempt == 1


def test_an_ended_job_is_not_done_again(kind, beats, editor):
    done = []
    job_id = start(editor, kind(done.append))
    for _ in range(2):
        work(beats, job_id)
    assert len(done) == 1


def test_a_kind_that_this_worker_does_not_know_waits_for_another(kind, beats, editor):
    job_id = start(editor, kind(nothing))
    write(job_id, kind="newer", sent_at=read(job_id).created_at)
    job = work(beats, job_id)
    assert (job.state, job.sent_at) == ("queued", None)
    assert (job.due_at - job.created_at).total_seconds() > 50


def test_of_an_exclusive_family_one_runs_at_a_time(kind, beats, editor):
    second = kind(nothing, "second", exclusive=True, family="cities")
    waiting = start(editor, second)
    seen = []
    first = kind(lambda _run: seen.append(work(beats, waiting)), exclusive=True, family="cities")
    assert work(beats, start(editor, first)).state == "done"
    assert (seen[0].state, seen[0].sent_at) == ("queued", None)
    assert seen[0].due_at is not None
    assert work(beats, waiting).state == "done"


def test_a_refusal_of_a_service_is_the_message(kind, beats, editor):
    def refuse(_run):
        raise Conflict(N_("Someone else is changing this right now. Try again in a moment."))

    job = work(beats, start(editor, kind(refuse)))
    assert job.state == "failed"
    assert load_messages(job.message).startswith("Someone else is changing this")


def test_a_fault_is_logged_and_not_shown(kind, beats, editor, caplog):
    def fail(_run):
        raise ValueError("secret")

    job = work(beats, start(editor, kind(fail)))
    assert job.state == "failed"
    assert "secret" not in job.message
    assert "secret" in caplog.text


@pytest.mark.parametrize("error", [RedisConnectionError("away"), "database"])
def test_a_service_that_is_away_is_waited_for(kind, beats, editor, error):
    if error == "database":
        error = OperationalError("SELECT 1", {}, Exception(2006, "gone"), False, None)
        error.connection_invalidated = True

    def fail(_run):
        raise error

    job_id = start(editor, kind(fail))
    for _ in range(claims.TRIES_MOST + 1):
        job = work(beats, job_id)
        assert (job.state, job.tries, job.claimed_by) == ("queued", 0, None)
    assert job.due_at is not None


def test_progress_and_log(kind, beats, editor):
    def count(run):
        run.report(0, 3, N_("Something went wrong"))
        run.log("first")
        run.report(3, 3)
        run.log(N_("Something went wrong"))

    job = work(beats, start(editor, kind(count)))
    assert (job.progress_done, job.progress_total, job.state) == (3, 3, "done")
    assert load_messages(job.message) == "Something went wrong"
    lines = db.session.execute(
        db.select(claims.JobLine.number, claims.JobLine.message).order_by(claims.JobLine.number)
    )
    assert [(n, load_messages(text)) for n, text in lines] == [
        (1, "first"),
        (2, "Something went wrong"),
    ]


def test_a_log_has_an_end(kind, beats, editor, monkeypatch):
    monkeypatch.setattr(claims, "LINES_MOST", 3)
    job_id = start(editor, kind(lambda run: [run.log(str(n)) for n in range(9)] and None))
    assert work(beats, job_id).state == "done"
    texts = db.session.scalars(db.select(claims.JobLine.message)).all()
    assert [load_messages(text) for text in texts] == [
        "0", "1", "The log is full; later lines are not stored.",
    ]  # fmt: skip


def test_a_waiting_job_is_cancelled_at_once(kind, beats, editor):
    done = []
    job_id = start(editor, kind(done.append))
    assert services.cancel_job(editor, job_id)
    assert (work(beats, job_id).state, done) == ("cancelled", [])
    assert read(job_id).ended_at is not None
    assert not services.cancel_job(editor, job_id)


@pytest.mark.parametrize("step", ["report", "wait", "guard"])
def test_a_running_job_is_cancelled_when_it_asks(kind, beats, editor, step):
    asked = []

    def run_step(run):
        services.cancel_job(editor, run.id)
        steps = {
            "report": lambda: run.report(1, 1),
            "wait": lambda: run.wait(5),
            "guard": lambda: unrecorded(run.guard)(),
        }
        asked.append(read(run.id).state)
        steps[step]()
        asked.append("went on")

    assert work(beats, start(editor, kind(run_step))).state == "cancelled"
    assert asked == ["running"]


def test_cancelling_needs_the_person_or_an_administrator(kind, editor):
    job_id = start(editor, kind(nothing))
    stranger = actor_of(add_person("stranger", "editor"))
    with pytest.raises(services.queries.NotFound):
        services.cancel_job(stranger, job_id)
    assert services.cancel_job(actor_of(add_person("admin", "admin")), job_id)


def test_a_worker_that_stops_gives_the_job_back_without_counting(kind, beats, editor):
    stopping = []

    def stop(run):
        stopping.append(True)
        run.report(1, 2)
        pytest.fail("it went on")

    job = work(beats, start(editor, kind(stop)), lambda: bool(stopping))
    assert (job.state, job.tries, job.sent_at, job.claimed_by) == ("queued", 0, None, None)
    assert work(beats, job.id, lambda: True).attempt == 1  # nor does it begin another one


def test_a_job_whose_process_beats_no_more_is_done_again(kind, beats, editor):
    job_id = start(editor, kind(nothing))
    claim_job(job_id, "elsewhere:1:1")
    age(job_id, beat_at=29)
    take_back()
    assert read(job_id).state == "running"
    age(job_id, beat_at=31)
    take_back()
    assert (read(job_id).state, read(job_id).sent_at) == ("queued", None)
    assert work(beats, job_id).state == "done"


def test_the_first_worker_changes_nothing_any_more(kind, beats, editor):
    """It was only slow: its writes are refused, and what it does in a transaction is undone."""
    ends, claimed = [], []

    def be_slow(run):
        age(run.id, beat_at=31)
        take_back()
        claimed.append(claim_job(run.id, "another"))
        for step in (lambda: run.report(1, 1), lambda: run.log("x"), unrecorded(run.guard)):
            with pytest.raises(Lost):
                step()
        ends.append(claims.finish(run.claim, JobState.DONE, "mine", None))
        raise Lost

    job = work(beats, start(editor, kind(be_slow)))
    assert ends == [False]
    assert (job.state, job.attempt, job.claimed_by) == ("running", 2, "another")
    assert claims.beat(claimed[0])


def test_what_is_guarded_is_undone(kind, beats, editor):
    @unrecorded
    def add_lost_person(run):
        auth.insert_person(auth.NewPerson("lost", Role.VIEWER, "x"))
        run.guard()

    def be_slow(run):
        write(run.id, attempt=9)
        with pytest.raises(Lost):
            add_lost_person(run)

    work(beats, start(editor, kind(be_slow)))
    db.session.rollback()
    assert find_person("lost") is None


def test_a_job_that_kills_its_workers_is_lost(kind, beats, editor):
    job_id = start(editor, kind(nothing))
    for _ in range(claims.TRIES_MOST):
        assert read(job_id).state == "queued"
        claim_job(job_id, "elsewhere:1:1")
        age(job_id, beat_at=31)
        take_back()
    job = read(job_id)
    assert (job.state, job.running_key) == ("lost", None)
    assert "killed 3 times" in load_messages(job.message)


def test_progress_resets_the_count_of_kills(kind, beats, editor):
    job_id = start(editor, kind(nothing))
    for number in range(claims.TRIES_MOST + 2):
        claim = claim_job(job_id, "elsewhere:1:1")
        claims.write_progress(claim, number + 1, None, None)
        age(job_id, beat_at=31)
        take_back()
    assert read(job_id).state == "queued"


def test_a_job_that_dies_at_the_same_place_each_time_is_lost(kind, beats, editor):
    """Each attempt begins with less progress than the one before had."""
    job_id = start(editor, kind(nothing))
    for _ in range(claims.TRIES_MOST + 1):  # the first one came farther than any before
        assert read(job_id).state == "queued"
        claim = claim_job(job_id, "elsewhere:1:1")
        for done in (0, 10, 20):
            claims.write_progress(claim, done, 100, None)
        age(job_id, beat_at=31)
        take_back()
    assert (read(job_id).state, read(job_id).progress_done) == ("lost", 20)


def test_progress_is_that_of_this_attempt(kind, beats, editor):
    job_id = start(editor, kind(nothing))
    claims.write_progress(claim_job(job_id, "elsewhere:1:1"), 20, 100, None)
    age(job_id, beat_at=31)
    take_back()
    claims.write_progress(claim_job(job_id, "elsewhere:1:1"), 5, 100, None)
    assert read(job_id).progress_done == 5


@pytest.mark.parametrize("any_app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "step", [lambda run: None, lambda run: run.report(1, 2), lambda run: run.wait(0.01),
             lambda run: run.log("x")],
    ids=["end", "report", "wait", "log"],
)  # fmt: skip
def test_a_busy_database_does_not_have_a_job_done_again(kind, beats, editor, slow_writer, step):
    done = []

    def meet_writer(run):
        done.append(run.id)
        slow_writer.write(2.5)
        step(run)
        return "x"

    job = work(beats, start(editor, kind(meet_writer)))
    assert (job.state, job.result, len(done)) == ("done", "x", 1)


@pytest.mark.parametrize("any_app", ["sqlite"], indirect=True)
def test_a_job_is_claimed_and_given_back_while_others_write(kind, beats, editor, slow_writer):
    def stop(run):
        slow_writer.write(2.5)
        raise Stopping

    job_id = start(editor, kind(stop))
    slow_writer.write(2.5)
    job = work(beats, job_id)
    assert (job.state, job.attempt, job.tries) == ("queued", 1, 0)


def test_an_unwritten_report_for_another_reason_ends_the_attempt(kind, beats, editor, monkeypatch):
    error = OperationalError("UPDATE job", {}, Exception(2006, "gone"), False, None)
    error.connection_invalidated = True

    def fail(*_args):
        raise error

    monkeypatch.setattr(claims, "write_progress", fail)
    job = work(beats, start(editor, kind(lambda run: run.report(1, 2))))
    assert (job.state, job.claimed_by) == ("queued", None)


def test_beats_go_on_when_a_connection_was_lost(kind, beats, editor, monkeypatch, caplog):
    def fail(_session):
        raise OperationalError("ROLLBACK", {}, Exception(2013, "lost"), False, None)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "close", fail)
        beats.beat()
    assert "a connection could not be given back" in caplog.text
    beats.beat()


def test_a_cancelled_job_whose_process_died_is_not_done_again(kind, editor):
    job_id = start(editor, kind(nothing))
    claim_job(job_id, "elsewhere:1:1")
    services.cancel_job(editor, job_id)
    age(job_id, beat_at=31)
    take_back()
    assert read(job_id).state == "cancelled"


def test_beats_keep_a_job(kind, beats, editor):
    def be_slow(run):
        age(run.id, beat_at=31)
        beats.beat()
        take_back()

    assert work(beats, start(editor, kind(be_slow))).state == "done"


def test_a_process_whose_job_stands_still_ends(kind, beats, editor, monkeypatch, caplog):
    """Its job is then begun again; the process would do no other one."""
    killed = []
    monkeypatch.setattr(beating.os, "kill", lambda pid, number: killed.append((pid, number)))

    def stand_still(run):
        beats.beat()
        run.moved -= 61
        beats.beat()

    work(beats, start(editor, kind(stand_still, patience=60)))
    assert killed == [(os.getpid(), signal.SIGKILL)]
    assert "no progress for 60 s" in caplog.text


def test_beats_pass_over_a_row_that_the_job_has_locked(any_app, kind, beats, editor):
    def beat_elsewhere():
        with any_app.app_context():
            beats.beat()

    @unrecorded
    def hold(run):
        run.guard()
        if db.engine.dialect.name == "mysql":  # on SQLite nobody writes in the meantime
            thread = threading.Thread(target=beat_elsewhere)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()

    assert work(beats, start(editor, kind(hold))).state == "done"


def test_retrying_is_a_new_job_of_whoever_retries(kind, beats, editor):
    added = kind(nothing, role=Role.EDITOR)
    job_id = services.start_job(editor, added.name, {"a": 1}, ("city", 5))
    with pytest.raises(Conflict):
        services.retry_job(editor, job_id)
    work(beats, job_id)
    admin = actor_of(add_person("admin", "admin"))
    again = read(services.retry_job(admin, job_id))
    assert (again.created_by, again.args, again.about_id) == (admin.id, '{"a": 1}', 5)
    assert again.id != job_id
    auth.set_role(OPERATOR, editor.id, "viewer")
    with pytest.raises(Forbidden):
        services.retry_job(actor_of(editor.id), job_id)


def test_a_kind_says_who_may_start_it(kind, editor):
    for added, actor in (
        (kind(nothing, "admins", role=Role.ADMIN), editor),
        (kind(nothing, "sessions", by_token=False), Actor(1, "e", Role.EDITOR, Via.TOKEN)),
    ):
        with pytest.raises(Forbidden):
            start(actor, added)


def test_interruptions_are_not_caught_by_mistake():
    assert not any(issubclass(each, Exception) for each in (Cancelled, Lost, Stopping))


def test_the_beats_of_others(any_app, beats):
    assert not services.queries.has_worker()
    other(beats, "elsewhere:1:1").beat()
    assert services.queries.has_worker()
