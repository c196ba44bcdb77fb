"""The pages of schedules and the commands."""

import json

import pytest

from app.database.engine import db
from app.jobs import kinds
from app.schedules import forms, services
from app.schedules.forms import ScheduleForm
from app.schedules.models import Schedule
from app.schedules.running import due
from tests.factories import OPERATOR, run_command
from tests.html import Page
from tests.schedules.conftest import create, make_due, read, states

NEW = "/schedules/new/sum"
FIELDS = {
    "name": "nightly sum", "a": "1", "b": "2", "trigger": "cron", "expression": "0 2 * * *",
    "time_zone": "Asia/Shanghai", "coalesce": "y", "at_once": "3", "grace_seconds": "60",
}  # fmt: skip


@pytest.fixture
def admin(as_role):
    return as_role("admin")


@pytest.fixture
def schedule_id(app):
    """A schedule that starts a sum every hour."""
    with app.app_context():
        return create(kind="sum", args={"a": "1", "b": "2"})


def test_a_schedule_is_made_and_shown(app, admin):
    page = Page(admin.get("/schedules"))
    assert page.has(f"a[href='{NEW}']")
    assert "There are no schedules yet" in page.text(".empty")
    sent = admin.submit(NEW, FIELDS)
    assert sent.status_code == 303
    page = Page(admin.get(sent.location))
    assert page.text("h1") == "nightly sum"
    assert "0 2 * * * Asia/Shanghai" in page.text(".facts")
    assert len(page.all(".panel li time")) == 5
    assert page.texts("tbody .main") == []
    row = Page(admin.get("/schedules"))
    assert row.links("tbody .main a") == [sent.location]
    assert "never run" in row.text("tbody")
    with app.app_context():
        assert read(1).arguments == {"a": "1", "b": "2"}


def test_what_is_wrong_is_said_beside_its_field(admin):
    wrong = {**FIELDS, "a": "x", "expression": "0 0 31 2 *", "time_zone": "Nowhere"}
    sent = admin.submit(NEW, wrong)
    assert sent.status_code == 422
    page = Page(sent)
    for field, words in (("a", "whole number"), ("time_zone", "not a time zone")):
        assert words in page.text(f"#{field}-error")
    assert page.one("#name")["value"] == "nightly sum"
    sent = admin.submit(NEW, {**FIELDS, "expression": "0 0 31 2 *"})
    assert "never happens" in Page(sent).text("#expression-error")
    sent = admin.submit(NEW, {**FIELDS, "trigger": "interval", "expression": "0"})
    assert "from 1 second" in Page(sent).text("#expression-error")


def test_a_name_that_is_taken(admin):
    admin.submit(NEW, FIELDS)
    sent = admin.submit(NEW, FIELDS)
    assert sent.status_code == 422
    assert "There is a schedule with this name" in Page(sent).text("#name-error")


def test_a_schedule_is_changed_unless_somebody_else_was_first(app, admin, schedule_id):
    address = f"/schedules/{schedule_id}/edit"
    version = Page(admin.get(address)).one("#version")["value"]
    assert Page(admin.get(address)).one("#b")["value"] == "2"
    changed = {**FIELDS, "version": version, "b": "5"}
    del changed["coalesce"]
    assert admin.submit(address, changed).status_code == 303
    with app.app_context():
        row = read(schedule_id)
        assert (row.arguments["b"], row.coalesce, row.expression) == ("5", False, "0 2 * * *")
    sent = admin.submit(address, changed)
    assert sent.status_code == 409
    assert "Someone else changed this schedule" in Page(sent).text(".error-summary")


def test_the_buttons(app, admin, schedule_id):
    page = f"/schedules/{schedule_id}"
    for verb, words in (
        ("pause", "The schedule is paused."), ("run", "The job was started."),
        ("resume", "The schedule goes on."),
    ):  # fmt: skip
        sent = admin.submit(f"{page}/{verb}", page=page)
        assert sent.status_code == 303
        assert words in Page(admin.get(sent.location)).text()
    shown = Page(admin.get(page))
    assert shown.texts("tbody .when")[0] == "Started"
    assert shown.links("tbody .when a")[0].startswith("/jobs/")
    admin.submit(f"{page}/remove", page=page)
    assert admin.get(page).status_code == 404


def test_all_are_removed_on_a_page_that_asks(app, admin, schedule_id):
    page = Page(admin.get("/schedules/remove-all"))
    assert "1 schedule and the record of its runs" in page.text(".lead")
    sent = admin.submit("/schedules/remove-all")
    assert sent.status_code == 303
    with app.app_context():
        assert db.session.query(Schedule).count() == 0


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_do_not_see_schedules(as_role, schedule_id, role):
    browser = as_role(role)
    for path in ("/schedules", NEW, f"/schedules/{schedule_id}", "/schedules/remove-all"):
        assert browser.get(path).status_code == 403
    assert "/schedules" not in Page(browser.get("/")).links("a")


def test_unknown_addresses(admin):
    for path in ("/schedules/5", "/schedules/5/edit", "/schedules/new/unknown"):
        assert admin.get(path).status_code == 404


def test_missed_runs_are_reported_to_administrators(app, admin, as_role, schedule_id):
    assert "missed" not in Page(admin.get("/")).text()
    with app.app_context():
        make_due(schedule_id, 1800)
        due.work()
        assert states(schedule_id) == ["missed"]
    page = Page(admin.get("/"))
    words = "Runs of schedules were missed or failed within a day (1). The last one: nightly"
    assert words in page.text()
    assert f"/schedules/{schedule_id}" in page.links(".notice a")
    assert "missed" not in Page(as_role("viewer").get("/")).text()
    assert Page(admin.get("/schedules")).text("tbody .chip.danger") == "Missed"
    report = admin.client.get("/readyz?verbose=1").text
    assert "1 missed or failed within a day" in report


def test_no_field_of_a_kind_has_the_name_of_one_of_a_schedule(app):
    with app.test_request_context():
        own = {field.name for field in ScheduleForm(formdata=None)}
        for kind in app.extensions[kinds.EXTENSION].values():
            names = {field.name for field in kind.form(formdata=None)} if kind.form else set()
            assert not names & own, kind.name
            shown = forms.form_of(kind)(formdata=None).of_kind()
            assert {field.name for field in shown} == names


def test_a_new_schedule_is_in_the_time_zone_of_the_site(make_app):
    app = make_app(TIME_ZONE="Europe/Berlin", commands=True)
    with app.test_request_context():
        assert ScheduleForm(formdata=None).time_zone.data == "Europe/Berlin"
    args = json.dumps({"a": "1", "b": "2"})
    words = ("schedules", "add", "hourly", "sum", "cron", "0 8 * * *", "--args", args)
    assert run_command(app, *words).exit_code == 0
    assert run_command(app, *words[:2], "other", *words[3:], "--zone", "UTC").exit_code == 0
    with app.app_context():
        assert [read(number).time_zone for number in (1, 2)] == ["Europe/Berlin", "UTC"]


def test_commands(app, flask):
    args = json.dumps({"a": "1", "b": "2"})
    added = flask("schedules", "add", "hourly", "sum", "interval", "1 h", "--args", args)
    assert added.exit_code == 0, added.output
    line = flask("schedules", "list").output.split("\t")
    assert line[:3] == ["hourly", "sum", "1 h"]
    assert flask("schedules", "pause", "hourly").output == "paused\n"
    assert flask("schedules", "pause", "hourly").exit_code == 1
    assert "paused" in flask("schedules", "list").output
    job_id = int(flask("schedules", "run", "hourly").output)
    shown = flask("schedules", "show", "hourly").output
    assert f"Started\tjob {job_id}" in shown
    assert "next:" not in shown
    assert flask("schedules", "resume", "hourly").output == "resumed\n"
    assert flask("schedules", "show", "hourly").output.count("next:") == 5
    assert flask("schedules", "remove", "hourly").output == "removed\n"
    assert flask("schedules", "show", "hourly").exit_code != 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x", "sum", "cron", "61 * * * *", "--args", '{"a": "1", "b": "2"}'], "not valid"),
        (["x", "sum", "interval", "1 h"], "whole number"),
        (["x", "sum", "interval", "1 h", "--args", "[1]"], "JSON object"),
        (["x", "unknown", "interval", "1 h"], "no such kind"),
    ],
)
def test_a_command_that_is_refused_says_why(flask, words, message):
    refused = flask("schedules", "add", *words)
    assert refused.exit_code != 0
    assert message in refused.output


def test_remove_takes_a_name_or_all(app, flask, schedule_id):
    for words in ([], ["nightly", "--all"]):
        assert flask("schedules", "remove", *words).exit_code == 2
    assert flask("schedules", "remove", "--all").output == "1\n"
    with app.app_context():
        assert services.delete_all(OPERATOR) == 0
