"""What the clock does: each job is sent, by one of several clocks, and again if Redis lost it."""

import subprocess
import sys

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import select

from app.database.engine import db
from app.jobs import services
from app.jobs.models import JobWorker
from app.jobs.worker import outbox
from app.jobs.worker.claim import claim_job
from app.jobs.worker.outbox import Outbox
from app.jobs.worker.processes import has_died, host_name, own_name, start_of
from app.redis.client import redis_store
from tests.factories import OPERATOR, at_once
from tests.jobs.conftest import age, other, read

QUEUE, UNACKED = "gz:celery:jobs", "gz:celery:unacked"


@pytest.fixture
def job_id(kind):
    return services.start_job(OPERATOR, kind(lambda _run: None).name, {})


@pytest.fixture
def clock(any_app):
    return Outbox(any_app)


def waiting():
    return redis_store.client.llen(QUEUE)


def test_a_job_is_sent_once(clock, job_id):
    for _ in range(3):
        clock.work()
    assert waiting() == 1
    assert read(job_id).sent_at is not None


def test_of_several_clocks_one_sends(any_app, kind):
    name = kind(lambda _run: None).name
    ids = {services.start_job(OPERATOR, name, {}) for _ in range(20)}
    taken = at_once(any_app, *[outbox.take_unsent for _ in range(4)])
    assert sorted(each for some in taken for each in some) == sorted(ids)


def test_what_is_not_due_waits(clock, job_id):
    age(job_id, due_at=-60)
    clock.work()
    assert waiting() == 0
    age(job_id, due_at=1)
    clock.work()
    assert waiting() == 1


def test_what_could_not_be_sent_is_sent_later(clock, job_id, monkeypatch):
    def fail(_job_id):
        raise RedisConnectionError("away")

    monkeypatch.setattr(clock.sender, "send", fail)
    with pytest.raises(RedisConnectionError):
        clock.work()
    assert read(job_id).sent_at is None
    monkeypatch.undo()
    clock.work()
    assert waiting() == 1


@pytest.mark.parametrize(
    ("seconds", "messages", "again"),
    [(61, 0, True), (59, 0, False), (61, 1, False), (601, 1, True)],
)
def test_what_redis_lost_is_sent_again(clock, job_id, seconds, messages, again):
    clock.work()
    redis_store.client.delete(QUEUE)
    redis_store.client.hset(UNACKED, "1", "left by a killed worker")
    for _ in range(messages):
        redis_store.client.lpush(QUEUE, "another")
    age(job_id, sent_at=seconds)
    clock.resent = float("-inf")
    clock.work()
    assert waiting() == messages + again


def test_a_killed_process_of_this_host_is_noticed_at_once(clock, job_id):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    claim_job(job_id, f"{host_name()}:{child.pid}:{start_of(child.pid)}")
    clock.work()
    assert read(job_id).state == "running"
    child.kill()
    child.communicate()
    clock.looked = float("-inf")
    clock.work()
    assert read(job_id).state == "queued"
    assert waiting() == 1


def test_of_other_hosts_and_containers_nothing_is_known():
    host, _colon, rest = own_name().partition(":")
    assert not has_died(own_name())
    assert has_died(f"{host}:{rest.partition(':')[0]}:1")
    assert not has_died(f"{host}0:{rest.partition(':')[0]}:1")


def test_processes_that_are_gone_are_forgotten(any_app, beats, clock):
    for name in (beats.name, f"{host_name()}:1:0", "elsewhere:1:1"):
        other(beats, name).beat()
    clock.work()
    assert set(db.session.scalars(select(JobWorker.name))) == {beats.name, "elsewhere:1:1"}
    beats.thread.start()
    beats.stop()
    db.session.rollback()
    assert set(db.session.scalars(select(JobWorker.name))) == {"elsewhere:1:1"}
