"""Results are computed once and sent until they are received, in the name of somebody who still has
access."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from app.actor import Actor, Role, Via
from app.auth import services as auth
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Conflict, Invalid, NotFound, TooMany
from app.health import work as work_checks
from app.jobs.deliveries import dispatch, services, signing
from app.jobs.deliveries.models import DELAYS, Delivery
from app.jobs.deliveries.queries import list_deliveries
from app.jobs.models import Job
from app.jobs.retention import delete_ended
from app.numbers import services as numbers
from app.redis.ids import next_id
from app.text import load_messages
from tests import servers
from tests.factories import OPERATOR, actor_of, add_person, add_token, at_once, entries
from tests.jobs.conftest import age, work
from tests.jobs.deliveries.conftest import listening, make_due, only_delivery, saying, send_all

TEXT = "深圳"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
NO_ACCESS = "The person or token that started this has no access any more."


@pytest.fixture
def viewer(any_app):
    return actor_of(add_person("viewer"))


@pytest.fixture
def target(any_app, receiver, allow):
    """The address of a receiver that is listed and knows its key."""
    origin = receiver.url.removesuffix("/results")
    allow(any_app, origin)
    receiver.names["KEY"] = signing.key_of(origin).encode()
    return receiver.url


def start(actor, url):
    """Ask for a digest; returns the id of the job."""
    job_id, _delivery = services.start_job(actor, "digest", {"text": TEXT}, url)
    return job_id


def count_jobs():
    return db.session.scalar(select(func.count()).select_from(Job))


def test_a_target_that_is_down_gets_the_result_once(beats, viewer, target, receiver):
    """It is down for three attempts; the result is computed once."""
    job_id = start(viewer, target)
    send_all()
    assert only_delivery().attempts == 0  # there is no result yet
    assert work(beats, job_id).state == "done"
    for attempt, minutes in enumerate(DELAYS[:3], start=1):
        make_due()
        send_all()
        found = only_delivery()
        assert (found.state, found.attempts, found.last_status) == ("waiting", attempt, None)
        assert load_messages(found.last_error) == "No connection: Connection refused"
        left = found.next_at - found.created_at
        assert timedelta(minutes=minutes) <= left <= timedelta(minutes=minutes + 30)
        send_all()  # too early
        assert only_delivery().attempts == attempt
    receiver.start()
    make_due()
    for _ in range(3):
        send_all()
    found = only_delivery()
    assert (found.state, found.attempts, found.last_status) == ("received", 4, 204)
    assert (found.next_at, found.last_error) == (None, None)
    assert found.done_at is not None
    [(headers, status)] = receiver.requests
    assert (status, headers["Idempotency-Key"]) == (204, str(found.id))
    assert receiver.results == {
        str(found.id): {
            "id": str(found.id),
            "job": str(job_id),
            "kind": "digest",
            "key": SHA256,
            "result": json.dumps({"sha256": SHA256, "bytes": 6, "characters": 2, "lines": 1}),
        }
    }
    db.session.rollback()
    assert (db.session.get(Job, job_id).attempt, count_jobs()) == (1, 1)


def test_a_receiver_refuses_what_is_not_signed_for_it(beats, viewer, target, receiver):
    receiver.start()
    receiver.names["KEY"] = signing.key_of("http://other.lan").encode()
    work(beats, start(viewer, target))
    send_all()
    found = only_delivery()
    assert (found.state, found.last_status, receiver.results) == ("waiting", 403, {})
    assert load_messages(found.last_error) == "The server answered 403."


def test_after_the_last_attempt_it_is_given_up_and_can_be_sent_again(
    beats, viewer, target, receiver
):
    job_id = start(viewer, target)
    work(beats, job_id)
    for _ in range(len(DELAYS) + 3):
        make_due()
        send_all()
    found = only_delivery()
    assert (found.state, found.attempts) == ("given_up", len(DELAYS) + 1)
    assert (found.next_at, found.done_at is None) == (None, False)
    assert work_checks.deliveries().startswith("warning: 1 given up within a day")
    receiver.start()
    services.send_again(viewer, job_id, found.id)
    assert (only_delivery().state, only_delivery().attempts) == ("waiting", 0)
    send_all()
    assert (only_delivery().state, only_delivery().attempts) == ("received", 1)
    with pytest.raises(Conflict, match="received already"):
        services.send_again(viewer, job_id, found.id)
    assert len(receiver.requests) == 1
    assert work_checks.deliveries() == "ok"


def test_asking_again_sends_again_only_what_was_given_up(beats, viewer, target, receiver):
    receiver.start()
    job_id = start(viewer, target)
    work(beats, job_id)
    send_all()
    for state, after in (("received", "received"), ("waiting", "waiting"), ("given_up", "waiting")):
        write(state=state)
        assert start(viewer, target) == job_id
        assert only_delivery().state == after
    assert count_jobs() == 1


@unrecorded
def delete_all():
    db.session.execute(delete(Delivery))


@unrecorded
def write(**values):
    db.session.execute(update(Delivery).values(values))


def test_of_two_who_ask_at_once_one_delivery_comes(any_app, viewer, target):
    job_id = start(viewer, target)
    delete_all()

    def store():
        services.store_delivery(viewer, next_id(), job_id, target)

    assert at_once(any_app, store, store, store) == [None, None, None]
    assert only_delivery().job_id == job_id


def test_of_several_clocks_one_sends(any_app, beats, viewer, target, receiver):
    receiver.start()
    work(beats, start(viewer, target))
    assert at_once(any_app, *[send_all for _ in range(4)]) == [None] * 4
    assert len(receiver.requests) == 1
    assert only_delivery().attempts == 1


def test_what_a_killed_clock_was_sending_is_sent_again(beats, viewer, target, receiver):
    receiver.start()
    work(beats, start(viewer, target))
    first = dispatch.claim_next(only_delivery().origin)
    send_all()
    assert receiver.requests == []
    make_due()
    send_all()
    assert (only_delivery().state, only_delivery().attempts) == ("received", 2)
    dispatch.finish(first, 500, dispatch.sending.NO_HTTP)  # it was not dead, but slow
    assert only_delivery().state == "received"


def test_a_slow_server_delays_no_other(any_app, beats, viewer, target, receiver, allow):
    """Each has a thread of its own, of which one server never gets two."""
    receiver.start()
    waits, asked = threading.Event(), []

    def answer(_connection):
        asked.append(1)
        waits.wait(60)

    dispatcher = dispatch.Dispatcher(any_app)
    with listening(answer) as port:
        allow(any_app, f"http://127.0.0.1:{port}", receiver.url.removesuffix("/results"))
        slow = f"http://127.0.0.1:{port}/"
        for url in (slow, f"{slow}again", target):
            work(beats, start(viewer, url))
        dispatcher.work()
        servers.wait_until(lambda: asked and receiver.requests, "both servers are sent to")
        thread = dispatcher.threads[slow[:-1]]
        dispatcher.work()
        assert dispatcher.threads[slow[:-1]] is thread
        assert (thread.is_alive(), len(asked)) == (True, 1)
        waits.set()
        for each in dispatcher.threads.values():
            each.join(60)


@pytest.mark.parametrize("change", ["disabled", "revoked", "unlisted"])
def test_nothing_is_sent_in_vain(any_app, beats, viewer, target, receiver, allow, change):
    receiver.start()
    add_token(viewer.id)
    token = Actor(viewer.id, "viewer", Role.VIEWER, Via.TOKEN, token_id=1)
    work(beats, start(token, target))
    if change == "disabled":
        auth.set_active(OPERATOR, viewer.id, False)
    elif change == "revoked":
        tokens.revoke_token(viewer, 1)
    else:
        allow(any_app, "https://example.org")
    send_all()
    found = only_delivery()
    assert (found.state, receiver.requests) == ("given_up", [])
    only = "Results may be sent to https://example.org only."
    assert load_messages(found.last_error) == (only if change == "unlisted" else NO_ACCESS)


def test_an_answer_that_is_no_success_does_not_hold_up_the_next(any_app, beats, viewer, allow):
    with listening(saying("HTTP/1.1 500 Oops\n\n")) as port:
        allow(any_app, f"http://127.0.0.1:{port}")
        for path in ("a", "b"):
            work(beats, start(viewer, f"http://127.0.0.1:{port}/{path}"))
        send_all()
    db.session.rollback()
    assert set(db.session.scalars(select(Delivery.last_status))) == {500}


def test_a_delivery_counts_as_a_computation(viewer, target, monkeypatch):
    monkeypatch.setattr(numbers, "COMPUTATIONS_PER_MINUTE", 3)
    start(viewer, target)
    start(viewer, target)  # the same
    start(viewer, f"{target}/2")
    with pytest.raises(TooMany):
        start(viewer, f"{target}/3")


def test_other_addresses_start_no_job(viewer, target):
    for url in ("https://example.org/", "nonsense"):
        with pytest.raises(Invalid):
            start(viewer, url)
    assert count_jobs() == 0


def test_who_sees_a_delivery(viewer, target):
    """Others do not learn the address; administrators do, and may have it sent again."""
    job_id = start(viewer, target)
    other, admin = actor_of(add_person("other", "editor")), actor_of(add_person("admin", "admin"))
    found = [len(list_deliveries(each, job_id)) for each in (viewer, other, admin, OPERATOR)]
    assert found == [1, 0, 1, 1]
    delivery_id = only_delivery().id
    for actor, job in ((other, job_id), (admin, 1)):
        with pytest.raises(NotFound):
            services.send_again(actor, job, delivery_id)
    services.send_again(admin, job_id, delivery_id)
    assert only_delivery().created_by == admin.id


def test_what_leaves_the_installation_is_recorded(viewer, target):
    job_id = start(viewer, target)
    start(viewer, target)
    [entry] = entries("job")
    assert (entry.action, entry.subject_id, entry.actor_id) == ("job.deliver", job_id, viewer.id)
    origin = target.removesuffix("/results")
    assert json.loads(entry.after) == {"kind": "digest", "target": origin}


def test_a_job_is_not_deleted_before_its_result_is_sent(beats, viewer, target, receiver):
    receiver.start()
    job_id = start(viewer, target)
    work(beats, job_id)
    age(job_id, ended_at=2 * 86_400)
    assert delete_ended() == 0
    send_all()
    assert delete_ended() == 1
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
