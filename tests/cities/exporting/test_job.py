"""The export as a job: the form, the file, and how many rows lead to it."""

import csv
import io
import json
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from app.auth.models import Person
from app.auth.queries import find_person
from app.cities.exporting import queries
from app.cities.exporting.csv_writer import stream_csv
from app.cities.exporting.encodings import ENCODINGS
from app.cities.listing.queries import CityListing
from app.current import settings
from app.database.engine import db
from app.errors import Invalid
from app.files.models import File
from app.files.storage import purging
from app.files.storage.folder import path_of
from app.jobs import services
from app.jobs.models import Job
from app.jobs.worker.beats import Beats
from app.schedules import services as schedules
from app.text import load_messages
from tests.cities.conftest import ACTOR, add_cities
from tests.factories import OPERATOR, actor_of, add_person
from tests.html import Page
from tests.jobs.conftest import work
from tests.jobs.test_result_files import expire
from tests.schedules.conftest import given

CITIES = [("广东", "深圳市", 5), ("广东", "广州市", 7), ("湖南", "长沙市", 6)]
FORM = "/jobs/new/cities.export"
LAST = "/cities/export.csv?encoding=last"


def export(app, actor, **args):
    """Have a job export the register; returns the job."""
    return work(Beats(app), services.start_job(actor, "cities.export", args))


def read_file(job):
    """The content of the file of a job."""
    file = db.session.get(File, job.file_id)
    return path_of(settings().files_dir, file.stored_name).read_bytes()


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "gb18030"])
def test_the_file_is_that_of_the_list(any_app, name):
    add_cities(*CITIES)
    viewer = actor_of(add_person("viewer"))
    job = export(any_app, viewer, format=name, q="广", sort="users", order="asc")
    assert (job.state, job.progress_done, job.progress_total) == ("done", 2, 2)
    listing = CityListing(search="广", sort="users", descending=False)
    whole = b"".join(stream_csv(queries.batches(ACTOR, listing), ENCODINGS[name]))
    assert read_file(job) == whole
    [_header, first, _second] = csv.reader(io.StringIO(whole.decode(ENCODINGS[name].codec)))
    assert first[:3] == ["广东", "深圳市", "5"]


def test_without_arguments_it_is_everything_for_excel(any_app):
    add_cities(*CITIES)
    job = export(any_app, actor_of(add_person("viewer")))
    args = json.loads(job.args)
    assert (args["format"], args["sort"], args["order"]) == ("xlsx", "id", "desc")
    with ZipFile(io.BytesIO(read_file(job))) as archive:
        assert archive.read("xl/worksheets/sheet1.xml").count(b"<row ") == 4


def test_an_empty_list_is_a_header(any_app):
    job = export(any_app, actor_of(add_person("viewer")), format="utf-8", q="nowhere")
    assert job.state == "done"
    assert read_file(job).count(b"\r\n") == 1


def test_a_character_that_the_encoding_lacks_fails_in_words(any_app):
    add_cities(("广东", "深圳市", 5))
    job = export(any_app, actor_of(add_person("viewer")), format="big5")
    assert (job.state, job.file_id) == ("failed", None)
    assert "cannot be written in Big5" in load_messages(job.message)


def test_an_unknown_format_is_refused(any_app):
    with pytest.raises(Invalid):
        services.start_job(OPERATOR, "cities.export", {"format": "doc"})


def test_the_nightly_export_of_the_operator_is_in_the_files_of_the_administrator(any_app):
    add_cities(*CITIES)
    admin = add_person("admin", "admin")
    args = {"format": "gb18030"}
    schedule_id = schedules.create_schedule(OPERATOR, given(), "cities.export", args)
    job = work(Beats(any_app), schedules.run_schedule(OPERATOR, schedule_id))
    assert (job.state, job.created_by) == ("done", None)
    assert db.session.get(File, job.file_id).owner_id == admin


def newest_job(app):
    """The newest job, done as a worker does it."""
    with app.app_context():
        job_id = db.session.scalar(select(Job.id).order_by(Job.id.desc()))
        return work(Beats(app), job_id)


def test_the_list_leads_to_a_form_with_its_filters(app, as_role, cities):
    cities(*CITIES)
    viewer = as_role("viewer")
    link = Page(viewer.get("/cities?q=广&sort=users")).links(".head .menu-panel a")[-1]
    page = Page(viewer.get(link))
    assert page.one("[name=q]")["value"] == "广"
    chosen = {tag.parent["name"]: tag["value"] for tag in page.all("option[selected]")}
    assert chosen == {"format": "xlsx", "sort": "users", "order": "desc"}
    job_path = viewer.submit(FORM, {"q": "广", **chosen, "format": "utf-8"}).location
    job = newest_job(app)
    page = Page(viewer.get(job_path))
    file_path = f"/files/{job.file_id}/details"
    assert file_path in page.links("#job a")
    assert "CSV, UTF-8" in page.text("dl.facts")
    assert "is deleted on" in Page(viewer.get(file_path)).text(".notice.caution")
    sent = viewer.get(f"/files/{job.file_id}", buffered=True)
    assert sent.get_data().count(b"\r\n") == 3


def test_the_form_refuses_what_it_does_not_offer(as_role):
    viewer = as_role("viewer")
    response = viewer.submit(FORM, {"format": "doc", "sort": "id", "order": "asc"})
    assert response.status_code == 422
    assert Page(response).has(".error-summary")


def test_the_encoding_of_the_last_import_is_offered(app, as_role, cities):
    cities(("廣東", "深圳市", 5))
    viewer = as_role("viewer")
    remember(app, "big5hkscs")
    page = Page(viewer.get(FORM))
    assert page.one("[name=format] option[selected]")["value"] == "big5"
    assert viewer.get(LAST).content_type == "text/csv; charset=big5"
    remember(app, "utf-16-be")
    assert viewer.get(LAST).content_type == "text/csv; charset=utf-16"


def test_another_encoding_than_that_of_the_last_import_is_not_sent(app, as_role):
    viewer = as_role("viewer")
    none = viewer.get(LAST)
    remember(app, "cp1252")
    other = viewer.get(LAST)
    assert (none.status_code, other.status_code) == (422, 422)
    assert "have not chosen" in Page(none).text("main")
    assert "not exported" in Page(other).text("main")


@pytest.mark.parametrize(("role", "is_offered"), [("viewer", False), ("editor", True)])
def test_the_encoding_of_the_last_import_is_offered_to_those_who_import(
    as_role, cities, role, is_offered
):
    cities(("a", "b", 1))
    assert (LAST in Page(as_role(role).get("/cities")).links(".export a")) == is_offered


def remember(app, codec):
    """As if the only person had had a file read in this encoding."""
    with app.app_context():
        db.session.scalars(select(Person)).one().file_codec = codec
        db.session.commit()


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(queries, "STREAMED_MOST", 2)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    ("path", "chosen"),
    [("csv?encoding=gb18030&sort=city", "gb18030"), ("xlsx?sort=city", "xlsx"), ("csv", "utf-8")],
)
def test_a_long_list_is_offered_as_a_job(app, as_role, cities, path, chosen):
    cities(*CITIES)
    viewer = as_role("viewer")
    response = viewer.get(f"/cities/export.{path}")
    assert response.status_code == 422
    form = Page(response).one("main form")
    sent = {tag["name"]: tag["value"] for tag in form.select("input[type=hidden]")}
    assert sent["format"] == chosen
    assert viewer.client.post(form["action"], data=sent).status_code == 303
    job = newest_job(app)
    assert (job.state, job.progress_done) == ("done", 3)


@pytest.mark.usefixtures("small_limit")
def test_a_short_one_and_that_of_a_script_are_sent_at_once(app, as_role, cities):
    cities(*CITIES)
    viewer = as_role("viewer")
    assert viewer.get("/cities/export.csv?province=广东").status_code == 200
    assert viewer.get("/cities/export.csv?q=市").status_code == 422
    sent = viewer.client.get("/cities/export.csv", headers={"Accept": "*/*"})
    assert sent.get_data().count(b"\r\n") == 4


@pytest.mark.usefixtures("small_limit")
def test_a_visitor_signs_in_for_a_long_list(make_app):
    app = make_app(PUBLIC_READ="1")
    with app.app_context():
        add_cities(*CITIES)
    response = app.test_client().get("/cities/export.csv", headers={"Accept": "text/html"})
    assert response.status_code == 422
    [link] = Page(response).links("main a.btn")
    assert link.startswith(FORM)


def test_the_page_of_a_job_says_that_its_file_was_deleted(app, as_role):
    viewer = as_role("viewer")
    with app.app_context():
        job = export(app, actor_of(find_person("viewer").id))
        path = f"/jobs/{job.id}"
        expire(job.file_id)
        purging.purge_results()
    assert "Its file was deleted." in Page(viewer.get(path)).text("#job")


def test_the_command_shows_the_file(app, flask, as_role):
    as_role("viewer")
    with app.app_context():
        job_id = export(app, actor_of(find_person("viewer").id), format="utf-8").id
    assert "file: Results/cities-" in flask("jobs", "show", str(job_id)).output


def test_the_page_of_a_job_has_its_history_for_administrators(as_role):
    viewer, admin = as_role("viewer"), as_role("admin")
    path = viewer.submit(FORM, {"format": "xlsx", "sort": "id", "order": "desc"}).location
    assert "viewer started this job" in Page(admin.get(path)).text(".side")
    assert not Page(viewer.get(path)).has(".side")
