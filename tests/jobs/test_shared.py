"""Sums and digests: addresses as those of the original program, computed once for everybody."""

import hashlib
import json

import pytest
from sqlalchemy import func, select

from app.database.engine import db
from app.jobs import services, waiting
from app.jobs.models import Job
from app.jobs.shared import results, work
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job
from app.numbers import services as numbers
from tests.factories import HTML, actor_of, add_person, add_token
from tests.html import Page

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(work, "SUM_SECONDS", 0.0)
    monkeypatch.setattr(results, "WAIT_SECONDS", 0.1)


@pytest.fixture
def do_all(app):
    """Does every job that waits."""

    def run():
        with app.app_context():
            ids = db.session.scalars(select(Job.id).where(Job.state == "queued")).all()
            db.session.rollback()
            for job_id in ids:
                run_job(job_id, Beats(app), lambda: False)

    return run


def count_jobs(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job))


def test_a_sum_is_computed_once_for_everybody(app, as_role, do_all):
    viewer, editor = as_role("viewer"), as_role("editor")
    key = viewer.get("/sum/3/04").text
    assert editor.get("/sum/03/4").text == key
    waiting = editor.get(f"/get_result/{key}")
    assert (waiting.status_code, waiting.text) == (202, "calculating")
    do_all()
    for browser in (viewer, editor):
        found = browser.get(f"/get_result/{key}")
        assert (found.status_code, found.text, found.mimetype) == (200, "7", "text/plain")
    assert viewer.get("/sum/3/4").text == key
    assert count_jobs(app) == 1


def test_large_and_negative_numbers_are_added(as_role, do_all):
    browser = as_role("viewer")
    key = browser.get(f"/sum/{10**60}/-1").text
    do_all()
    assert browser.get(f"/get_result/{key}").text == "9" * 60


@pytest.mark.parametrize(
    "path", ["/sum/1/x", "/sum/1.5/2", "/sum/%EF%BC%91/2", f"/sum/1/{'9' * 101}"]
)
def test_what_is_no_number_is_refused(app, as_role, path):
    refused = as_role("viewer").get(path, headers=JSON)
    assert refused.status_code == 422
    assert "whole number" in refused.json["error"]
    assert count_jobs(app) == 0


def test_an_unknown_key_is_not_waited_for(as_role):
    assert as_role("viewer").get("/get_result/unknown").status_code == 404


def test_the_number_of_requests_that_wait_is_limited(app, as_role, monkeypatch):
    monkeypatch.setattr(waiting, "WAITING_MOST", 0)
    monkeypatch.setattr(results, "WAIT_SECONDS", 3600.0)
    browser = as_role("viewer")
    key = browser.get("/sum/1/2").text
    assert browser.get(f"/get_result/{key}").status_code == 202


def test_a_digest_is_computed_once(app, do_all):
    with app.app_context():
        token = add_token(add_person("script"))
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    text = "深圳\n" * 40_000
    key = hashlib.sha256(text.encode()).hexdigest()
    for _ in range(2):
        sent = client.post("/jobs/digest", data={"text": text}, headers=headers)
        assert sent.json == {"digest": key, "state": "calculating"}
    do_all()
    again = client.post("/jobs/digest", data={"text": text}, headers=headers)
    assert again.json == {"digest": key, "state": "done"}
    found = client.get(f"/get_result/{key}", headers=headers)
    counts = {"bytes": 280_000, "characters": 120_000, "lines": 40_000}
    assert json.loads(found.text) == {"sha256": key, **counts}
    assert count_jobs(app) == 1


@pytest.mark.parametrize(("text", "said"), [("", "Type or send"), ("x" * 1_000_001, "976.6 KB")])
def test_a_text_has_a_size(app, as_role, text, said):
    refused = as_role("viewer").submit(
        "/jobs/digest", {"text": text}, page="/account", headers=JSON
    )
    assert refused.status_code == 422
    assert said in json.dumps(refused.json)


def test_sum_and_text_never_share_a_key(as_role, do_all):
    browser = as_role("viewer")
    key = browser.get("/sum/3/4").text
    sent = browser.submit("/jobs/digest", {"text": "3 4"}, page="/account", headers=JSON)
    assert sent.json["digest"] != key


def test_a_failed_result_is_computed_again_when_somebody_asks(app, as_role, do_all, monkeypatch):
    browser = as_role("viewer")

    def fail(_run, _seconds):
        raise ValueError

    monkeypatch.setattr(work.Run, "wait", fail)
    key = browser.get("/sum/3/4").text
    do_all()
    failed = browser.get(f"/get_result/{key}")
    assert (failed.status_code, failed.text) == (
        500, "The error was logged. Trying again may help.",
    )  # fmt: skip
    monkeypatch.undo()
    monkeypatch.setattr(work, "SUM_SECONDS", 0.0)
    assert browser.get("/sum/3/4").text == key
    do_all()
    assert browser.get(f"/get_result/{key}").text == "7"


def test_computations_are_limited_and_answers_are_not(app, as_role, monkeypatch):
    monkeypatch.setattr(numbers, "COMPUTATIONS_PER_MINUTE", 2)
    browser = as_role("viewer")
    answers = [browser.get(f"/sum/1/{n}").status_code for n in (1, 2, 2, 3, 1)]
    assert answers == [200, 200, 200, 429, 200]


def test_everybody_sees_a_shared_job_and_administrators_cancel_it(app, as_role):
    viewer = as_role("viewer")
    sent = viewer.submit("/jobs/new/sum", {"a": "1", "b": "2"})
    assert sent.status_code == 303
    page = Page(as_role("editor").get(sent.location))
    assert page.text("h1") == "Sum"
    assert not page.has(f"form[action^='{sent.location}/cancel']")
    assert viewer.submit(f"{sent.location}/cancel", page="/account").status_code == 404
    admin = as_role("admin")
    assert admin.submit(f"{sent.location}/cancel", page=sent.location).status_code == 303
    assert "Cancelled" in admin.get(sent.location).text
    admin.submit(f"{sent.location}/retry", page=sent.location)
    assert "Waiting" in admin.get(sent.location).text
    assert count_jobs(app) == 1


def test_the_form_says_what_is_wrong(as_role):
    refused = as_role("viewer").submit("/jobs/new/sum", {"a": "1", "b": "x"}, headers=HTML)
    assert refused.status_code == 422
    assert "whole number" in Page(refused).text("#b-error")


def test_shared_jobs_have_no_person(app):
    with app.app_context():
        actor = actor_of(add_person("viewer"))
        job_id = services.start_job(actor, "sum", {"a": 1, "b": 2})
        assert db.session.get(Job, job_id).created_by is None
