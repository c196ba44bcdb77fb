"""The list and the pages of jobs, and the commands."""

import os
import subprocess
import sys

import pytest

from app.actor import Role
from app.auth.queries import find_person
from app.config import ROOT
from app.jobs import kinds, services
from app.jobs.kinds import JobKind
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job
from app.redis.ids import split_id
from tests.factories import OPERATOR, actor_of, run_command
from tests.html import Page
from tests.jobs.conftest import write


@pytest.fixture
def start(app, monkeypatch):
    """Starts a job as a person of this name."""
    known = dict(app.extensions[kinds.EXTENSION])
    known["count"] = JobKind("count", "Count", count, Role.EDITOR)
    monkeypatch.setitem(app.extensions, kinds.EXTENSION, known)

    def run(name=None):
        with app.app_context():
            actor = actor_of(find_person(name).id) if name else OPERATOR
            return services.start_job(actor, "count", {})

    return run


def count(run):
    run.report(1, 4, "halfway")
    run.log("one of four")
    return "four"


def do(app, job_id):
    with app.app_context():
        run_job(job_id, Beats(app), lambda: False)


def test_people_see_their_own_jobs_and_administrators_all(app, as_role, start):
    editor, other, admin = as_role("editor"), as_role("viewer"), as_role("admin")
    job_id = start("editor")
    start()
    assert [len(Page(each.get("/jobs")).all("tbody tr")) for each in (editor, other, admin)] == [
        1, 0, 2,
    ]  # fmt: skip
    assert [each.get(f"/jobs/{job_id}").status_code for each in (editor, other, admin)] == [
        200, 404, 200,
    ]  # fmt: skip
    assert other.get("/jobs/1").status_code == 404


def test_the_list_is_filtered(app, as_role, start):
    admin = as_role("admin")
    as_role("editor")
    done, waiting = start("editor"), start()
    do(app, done)
    for query, ids in (
        ("state=done", [done]),
        ("state=queued", [waiting]),
        ("kind=count", [waiting, done]),
        ("kind=sum", []),
        ("person=1", []),
        ("person=2", [done]),
        ("state=nonsense", [waiting, done]),
    ):
        links = Page(admin.get(f"/jobs?{query}")).all("tbody .main a")
        assert [tag["href"] for tag in links] == [f"/jobs/{each}" for each in ids], query


def test_the_list_has_pages(app, as_role, start):
    editor = as_role("editor")
    ids = [start("editor") for _ in range(51)]
    first = Page(editor.get("/jobs"))
    assert next(tag["href"] for tag in first.all("tbody .main a")) == f"/jobs/{ids[-1]}"
    following = first.all("nav.pager a[rel=next]")[0]["href"]
    links = Page(editor.get(following)).all("tbody .main a")
    assert [tag["href"] for tag in links] == [f"/jobs/{ids[0]}"]


def test_a_job_says_how_far_it_is_and_what_came_of_it(app, as_role, start):
    editor = as_role("editor")
    job_id = start("editor")
    page = Page(editor.get(f"/jobs/{job_id}"))
    assert page.has("#job[data-active]")
    assert "No worker is running" in page.text("#job .notice")
    with app.app_context():
        write(job_id, state="running", progress_done=1, progress_total=4)
    bar = Page(editor.get(f"/jobs/{job_id}")).all("#job progress")[0]
    assert (bar["value"], bar["max"]) == ("1", "4")
    with app.app_context():
        write(job_id, state="queued")
    do(app, job_id)
    page = Page(editor.get(f"/jobs/{job_id}"))
    assert not page.has("#job[data-active]")
    assert page.text("#result") == "four"
    assert "one of four" in page.text("#job table")


def test_a_job_is_cancelled_and_started_again(app, as_role, start):
    editor = as_role("editor")
    path = f"/jobs/{start('editor')}"
    assert editor.submit(f"{path}/cancel", page=path).location == path
    page = Page(editor.get(path))
    assert "The job is cancelled." in page.text(".notice")
    assert "Cancelled" in page.text("dl.facts")
    again = editor.submit(f"{path}/retry", page=path).location
    assert again != path
    assert "Count was started again." in editor.get(again).text


def test_only_kinds_with_a_page_can_be_started_there(as_role, start):
    editor = as_role("editor")
    for kind, status in (("sum", 200), ("digest", 200), ("count", 404), ("nothing", 404)):
        assert editor.get(f"/jobs/new/{kind}").status_code == status


def test_commands(app, flask, start):
    job_id = start()
    assert f"{job_id}\tqueued\t\tcount\tCommand line\t" in flask("jobs", "list").output
    assert "No worker is running" in flask("jobs", "list").output
    do(app, job_id)
    shown = flask("jobs", "show", str(job_id)).output
    assert "state: done\n" in shown
    assert "progress: 1 of 4\n" in shown
    assert "one of four" in shown
    assert flask("jobs", "cancel", str(job_id)).exit_code == 1
    assert flask("jobs", "list", "--state", "failed").output.startswith("No worker")


def test_commands_cancel_and_retry(app, flask):
    with app.app_context():
        job_id = services.start_job(OPERATOR, "sum", {"a": 1, "b": 2})
    assert flask("jobs", "cancel", str(job_id)).output == "The job is cancelled.\n"
    assert flask("jobs", "retry", str(job_id)).output == f"{job_id}\n"
    assert "queued" in flask("jobs", "show", str(job_id)).output
    assert flask("jobs", "show", "1").exit_code == 1


def test_an_id_is_explained(app, flask):
    with app.app_context():
        job_id = services.start_job(OPERATOR, "sum", {"a": 1, "b": 2})
    said = flask("id", str(job_id)).output
    assert f"made: {split_id(job_id).at:%Y-%m-%d %H:%M}" in said
    assert f"sequence: {split_id(job_id).sequence}\n" in said
    assert run_command(flask.args[0], "id", "9" * 19).exit_code == 1


def test_web_processes_do_not_load_celery(app, site_environment):
    """The row of a job is the outbox, so that they need neither its memory nor its connections."""
    text = "import sys, app.wsgi; sys.exit('celery' in sys.modules or 'kombu' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT, env={**os.environ, "ENV_FILE": os.devnull, **site_environment},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def bar(page):
    """The number of active jobs in the bar, which is there twice."""
    first, second = Page(page).texts("[data-count]")
    assert first == second
    return first


def test_the_bar_has_the_number_of_ones_own_active_jobs(app, as_role, start):
    editor, viewer = as_role("editor"), as_role("viewer")
    assert bar(editor.get("/account")) == ""
    first, second = start("editor"), start("editor")
    assert (bar(editor.get("/account")), bar(viewer.get("/account"))) == ("2", "")
    do(app, first)
    assert bar(editor.get("/account")) == "1"
    editor.submit(f"/jobs/{second}/cancel", page=f"/jobs/{second}")
    assert bar(editor.get("/account")) == ""


def test_a_number_that_nobody_renews_is_not_shown(app, as_role, start, store):
    editor = as_role("editor")
    editor.get("/account")
    start("editor")
    with app.app_context():
        store.hset(f"gz:person:{find_person('editor').id}", "jobs_until", 1)
    assert bar(editor.get("/account")) == ""
    editor.get("/jobs")
    assert bar(editor.get("/account")) == "1"
