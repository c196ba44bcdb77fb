"""Asking for a delivery on the page and by a script, what the page of the job shows, commands."""

import json

import pytest

from app.jobs.deliveries import signing
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job
from tests.factories import HTML, add_person, add_token, run_command
from tests.html import Page
from tests.jobs.deliveries.conftest import make_due, only_delivery, send_all

JSON = {"Accept": "application/json"}


@pytest.fixture
def target(app, receiver, allow):
    """The address of a receiver that is listed and knows its key."""
    origin = receiver.url.removesuffix("/results")
    allow(app, origin)
    with app.app_context():
        receiver.names["KEY"] = signing.key_of(origin).encode()
    return receiver.url


@pytest.fixture
def send(app):
    """Does the job and what the clock does."""

    def run(location):
        with app.app_context():
            run_job(int(location.rpartition("/")[2]), Beats(app), lambda: False)
            make_due()
            send_all()

    return run


def start(browser, target):
    return browser.submit("/jobs/new/digest", {"text": "abc", "target": target}).location


def test_the_page_offers_targets_only_where_some_are_listed(app, as_role, allow):
    viewer = as_role("viewer")
    assert not Page(viewer.get("/jobs/new/digest")).has("input[name=target]")
    allow(app, "https://example.org", "http://intake.lan:8080=10.0.0.5")
    page = Page(viewer.get("/jobs/new/digest"))
    help_text = "An address at https://example.org, http://intake.lan:8080."
    assert page.text("#target-help") == help_text
    assert not Page(viewer.get("/jobs/new/sum")).has("input[name=target]")


def test_a_wrong_address_is_reported_beside_its_field(app, as_role, target):
    data = {"text": "abc", "target": "https://example.org/"}
    refused = as_role("viewer").submit("/jobs/new/digest", data, headers=HTML)
    assert refused.status_code == 422
    assert "only" in Page(refused).text("#target-error")


def test_the_page_of_the_job_shows_what_came_of_it(as_role, target, receiver, send):
    receiver.start()
    viewer = as_role("viewer")
    location = start(viewer, target)
    send(location)
    page = Page(viewer.get(location))
    assert target in page.text("#job")
    assert "Received" in page.text("#job")
    assert not page.has("form[action*='/deliveries/']")
    assert len(receiver.results) == 1
    assert target not in as_role("editor").get(location).text


def test_what_was_not_received_is_sent_again(as_role, target, receiver, send):
    viewer = as_role("viewer")
    location = start(viewer, target)
    assert Page(viewer.get(location)).has("#job[data-active]")
    send(location)
    page = Page(viewer.get(location))
    assert not page.has("#job[data-active]")
    assert "Connection refused" in page.text("#job")
    [form] = page.all("form[action*='/deliveries/']")
    receiver.start()
    again = viewer.submit(form["action"].partition("?")[0], page=location)
    assert again.location == location
    page = Page(viewer.get(location))
    assert page.has("#job[data-active]")
    assert "The result is sent again." in page.text(".notice")
    send(location)
    assert "Received" in Page(viewer.get(location)).text("#job")


def test_others_cannot_have_it_sent_again(app, as_role, target):
    location = start(as_role("viewer"), target)
    with app.app_context():
        path = f"{location}/deliveries/{only_delivery().id}/send"
    assert as_role("editor").submit(path, page="/account").status_code == 404


def test_a_script_names_a_target(app, target, receiver, send):
    receiver.start()
    with app.app_context():
        token = add_token(add_person("script"))
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def ask(**more):
        data = {"text": "abc", **more}
        return client.post("/jobs/digest", data=data, headers=headers)

    first = ask(target=target).json
    with app.app_context():
        found = only_delivery()
    assert first["delivery"] == {"id": str(found.id), "state": "waiting"}
    send(f"/jobs/{found.job_id}")
    again = ask(target=target).json
    assert (again["state"], again["delivery"]["state"]) == ("done", "received")
    assert ask().json == {"digest": first["digest"], "state": "done"}
    refused = ask(target="http://127.0.0.1/")
    assert refused.status_code == 422
    assert list(refused.json["fields"]) == ["target"]


def test_without_a_list_a_target_is_refused(as_role):
    data = {"text": "abc", "target": "https://example.org/"}
    refused = as_role("viewer").submit("/jobs/digest", data, page="/account", headers=JSON)
    assert refused.status_code == 422
    assert "DELIVERY_TARGETS" in json.dumps(refused.json["fields"]["target"])


def test_commands(app, as_role, make_app, allow, target, receiver, send):
    location = start(as_role("viewer"), target)
    send(location)
    job_id = location.rpartition("/")[2]
    commands = make_app(commands=True)
    allow(commands, receiver.url.removesuffix("/results"))
    [line] = [
        line
        for line in run_command(commands, "jobs", "show", job_id).output.splitlines()
        if line.startswith("delivery\t")
    ]
    with app.app_context():
        found = only_delivery()
    assert line.split("\t")[1:5] == [str(found.id), "waiting", "attempts 1", target]
    assert line.endswith("No connection: Connection refused")
    again = run_command(commands, "jobs", "resend", job_id, found.id)
    assert again.output == "The result is sent again.\n"
    with app.app_context():
        assert only_delivery().attempts == 0
        key = signing.key_of(found.origin)
    printed = run_command(commands, "jobs", "delivery-keys").output
    assert printed == f"{found.origin}\t{key}\n"


def test_keys_are_those_of_one_server(app):
    with app.app_context():
        keys = {signing.key_of(f"https://{name}.org") for name in ("a", "b")}
        assert all(len(key) == 64 for key in keys)
        assert len(keys) == 2
        signature = signing.sign("k" * 64, 1_700_000_000, b"{}")
    assert signature.startswith("t=1700000000,v1=")
