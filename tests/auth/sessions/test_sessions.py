"""Sessions: their end, their lifetime, and what is not accepted as one."""

import hashlib
import json
import pickle
import time
from contextlib import contextmanager

import pytest
from flask import Response, abort, flash, session

from app.actor import ANONYMOUS
from app.auth import passwords, queries
from app.auth import services as auth
from app.auth.sessions import epochs
from app.auth.sessions.epochs import epoch_key, person_key
from app.auth.sessions.interface import FLASHES
from app.auth.sessions.start import start_session
from app.auth.sign_in import services as sign_in
from app.database.engine import db
from app.errors import Invalid
from tests import servers
from tests.auth.helpers import cookie_of, is_signed_in
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person, add_token
from tests.html import Page

HOUR = 3600


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def sessions(store):
    """The keys of all sessions."""
    return [key for key in store.keys("gz:session:*") if key.count(":") == 2]


def rewrite(store, **changed):
    """Change the content of the only session, not its lifetime."""
    (key,) = sessions(store)
    store.set(key, json.dumps({**json.loads(store.get(key)), **changed}), keepttl=True)


@contextmanager
def slow_request(app, browser):
    """A request of the browser that has loaded its session; yields a function that ends it."""
    headers = {"Cookie": f"gz={cookie_of(browser)}"}
    with app.test_request_context("/account", headers=headers):
        app.preprocess_request()

        def finish():
            return app.process_response(Response("done"))

        yield finish


def test_sign_out_ends_the_session_of_a_slow_request(app, viewer, store):
    cookie = cookie_of(viewer)
    with slow_request(app, viewer) as finish:
        assert session["name"] == "viewer"
        response = viewer.submit("/logout", page="/account")
        assert response.status_code == 303
        session["written"] = "after the sign-out"
        assert "Set-Cookie" not in finish().headers
    viewer.client.set_cookie("gz", cookie)
    assert not is_signed_in(viewer)
    assert not [key for key in sessions(store) if "viewer" in store.get(key)]


def test_a_new_password_ends_the_session_of_a_slow_request(app, viewer):
    cookie = cookie_of(viewer)
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    with slow_request(app, viewer) as finish:
        assert viewer.submit("/account/password", fields).status_code == 303
        session["written"] = "after the change"
        finish()
    assert is_signed_in(viewer)
    viewer.client.set_cookie("gz", cookie)
    assert not is_signed_in(viewer)


def test_sign_out_prevents_the_new_session_of_a_slow_change_of_password(
    app, viewer, store, monkeypatch
):
    """The new session would have an id that the sign-out does not know."""
    cookie, token = cookie_of(viewer), viewer.token("/account/password")
    second = Browser(app)
    second.client.set_cookie("gz", cookie)

    def hash_password(password):
        assert second.client.post("/logout", data={"csrf_token": token}).status_code == 303
        return passwords.hash_password(password)

    monkeypatch.setattr(sign_in, "hash_password", hash_password)
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    data = {**fields, "csrf_token": token}
    response = viewer.client.post("/account/password", data=data, headers=HTML)
    assert response.status_code == 401
    assert "This session has ended" in Page(response).text("main")
    assert "Set-Cookie" not in response.headers
    assert not [key for key in sessions(store) if "viewer" in store.get(key)]
    assert not is_signed_in(viewer)
    viewer.sign_in("viewer", "another password")


def test_scripts_have_no_session(app, as_role, store):
    as_role("editor")
    with app.app_context():
        token = add_token(queries.find_person("editor").id)
    before = store.keys("gz:session:*")
    headers = {**HTML, "Authorization": f"Bearer {token}"}
    script = Browser(app)
    fields = {"province": "P", "city": "C", "number": "1"}
    for response in (
        script.get("/cities", headers=headers),
        script.client.post("/cities/new", data=fields, headers=headers),
    ):
        assert response.status_code in (200, 303)
        assert "Set-Cookie" not in response.headers
    assert store.keys("gz:session:*") == before


def test_visitors_have_no_session_before_they_sign_in(browser, store):
    for _visit in range(3):
        response = browser.get("/numbers?pi=1000&fib=93")
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers
        assert Page(response).has("[name=scheme]")
    for path in ("/login", "/cities", "/setup/x"):
        browser.get(path)
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": browser.token("/login"), "name": "x"}):
            browser.client.post(path, data=data, headers=HTML)
    response = browser.client.post("/cities/new", headers=HTML)
    assert response.location == "/login?next=/cities/new&why=ended"
    assert browser.client.get_cookie("gz") is None
    assert not store.keys("gz:session:*")


def test_sign_out_leaves_nothing_in_redis(viewer, store):
    viewer.get("/account")
    before = set(store.keys("gz:session:*"))
    viewer.submit("/logout", page="/account")
    assert before
    assert not before & set(store.keys("gz:session:*"))


def test_get_does_not_sign_out(viewer):
    assert viewer.get("/logout").status_code == 405
    assert is_signed_in(viewer)


def test_redis_knows_only_a_digest_of_the_session_id(viewer, store):
    viewer.get("/account")
    cookie = cookie_of(viewer)
    for key in store.keys("*"):
        assert cookie not in key
        if store.type(key) == "string":
            assert cookie not in store.get(key)


def test_a_session_planted_before_the_sign_in_is_worth_nothing(app, as_role):
    as_role("viewer")
    victim, planter = Browser(app), Browser(app)
    planted = "x" * 43
    victim.client.set_cookie("gz", planted)
    victim.sign_in("viewer")
    assert cookie_of(victim) != planted
    planter.client.set_cookie("gz", planted)
    assert is_signed_in(victim)
    assert not is_signed_in(planter)


def test_an_unused_session_ends(viewer, store):
    (key,) = sessions(store)
    assert 12 * HOUR - 60 <= store.ttl(key) <= 12 * HOUR
    store.pexpire(key, 1)
    servers.wait_until(lambda: not store.exists(key), "the session has expired")
    assert not is_signed_in(viewer)


def test_use_extends_a_session_once_a_minute(viewer, store):
    assert is_signed_in(viewer)
    (key,) = sessions(store)
    store.expire(key, 100)
    assert is_signed_in(viewer)
    assert store.ttl(key) <= 100
    store.delete(f"{key}:seen")  # as after a minute
    assert is_signed_in(viewer)
    assert store.ttl(key) > 12 * HOUR - 60
    assert store.ttl(f"{key}:requests") > 12 * HOUR - 60


def test_idle_and_absolute_life_are_settings(make_app, store):
    app = make_app(SESSION_IDLE_HOURS="1", SESSION_ABSOLUTE_DAYS="2")
    with app.app_context():
        add_person("viewer")
    browser = Browser(app)
    browser.sign_in("viewer")
    (key,) = sessions(store)
    assert store.ttl(key) <= HOUR
    rewrite(store, since=time.time() - 2 * 86400 + 60)
    assert is_signed_in(browser)
    rewrite(store, since=time.time() - 2 * 86400 - 1)
    assert not is_signed_in(browser)


def test_a_session_ends_after_its_absolute_life_even_if_it_is_used(viewer, store):
    rewrite(store, since=time.time() - 14 * 86400 + 60)
    assert is_signed_in(viewer)
    rewrite(store, since=time.time() - 14 * 86400 - 1)
    assert not is_signed_in(viewer)
    assert not [key for key in sessions(store) if "viewer" in store.get(key)]


@pytest.mark.parametrize(
    "change",
    [
        lambda person: auth.set_password(OPERATOR, person.id, "another password"),
        lambda person: auth.set_active(OPERATOR, person.id, False),
        lambda person: auth.set_role(OPERATOR, person.id, "editor"),
    ],
    ids=["password", "disabled", "role"],
)
def test_what_changes_a_person_ends_their_sessions_at_once(app, viewer, change):
    assert is_signed_in(viewer)
    with app.app_context():
        change(queries.find_person("viewer"))
    assert not is_signed_in(viewer)


def test_sessions_end_even_if_redis_loses_the_epoch(app, viewer, store):
    with app.app_context():
        person = queries.find_person("viewer")
        auth.set_active(OPERATOR, person.id, False)
        store.delete(person_key(person.id))
    assert not is_signed_in(viewer)


def test_a_sign_in_during_a_change_of_password_is_void(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"):
        app.preprocess_request()
        person = sign_in.sign_in(ANONYMOUS, "viewer", PASSWORD, "192.0.2.1")
        auth.set_password(OPERATOR, person.id, "another password")
        start_session(session, person)
        cookie = app.process_response(Response()).headers["Set-Cookie"]
    late = Browser(app)
    late.client.set_cookie("gz", cookie.partition("=")[2].partition(";")[0])
    assert not is_signed_in(late)


def test_a_session_with_the_epoch_of_a_disabled_person_is_refused(app, viewer, store):
    with app.app_context():
        person = queries.find_person("viewer")
        auth.set_active(OPERATOR, person.id, False)
        epoch = queries.find_person("viewer").session_epoch
    rewrite(store, epoch=epoch)
    assert not is_signed_in(viewer)


@pytest.mark.parametrize(
    "data",
    [pickle.dumps({"person": 1}), b"\xff\xfe", b"", b"null", b"[1]", b'"text"', b"{",
     b'{"person":1}',
     b'{"person":"1","name":"a","role":"admin","epoch":1,"since":1}',
     b'{"person":1,"name":"viewer","role":"owner","epoch":1,"since":9e9}',
     b'{"person":1,"name":"viewer","role":["admin"],"epoch":1,"since":9e9}',
     b'{"person":1.5,"name":"viewer","role":"admin","epoch":1,"since":9e9}',
     b'{"person":1e999,"name":"viewer","role":"admin","epoch":1,"since":9e9}',
     b'{"person":{"id":1},"name":"viewer","role":"admin","epoch":1,"since":9e9}',
     b'{"person":1,"name":"viewer","role":"admin","epoch":"1","since":9e9}',
     b'{"person":1,"name":"viewer","role":"admin","epoch":1,"since":"now"}',
     b"[" * 5000 + b"]" * 5000],
)  # fmt: skip
def test_an_invalid_session_signs_nobody_in(viewer, store, data):
    (key,) = sessions(store)
    store.set(key, data)
    response = viewer.get("/account")
    assert response.status_code == 303
    viewer.sign_in("viewer")
    assert is_signed_in(viewer)


def test_an_epoch_is_valid_for_a_minute_and_then_read_from_the_database(app, viewer, store):
    assert is_signed_in(viewer)
    (key,) = sessions(store)
    epoch = str(json.loads(store.get(key))["epoch"])
    requests = int(store.get(f"{key}:requests"))
    with app.app_context():
        person = queries.find_person("viewer")
        hash_key = person_key(person.id)
        assert 50 < int(store.hget(hash_key, "epoch_until")) - time.time() < 70
        # As after a minute, in which Redis missed a change.
        store.hset(hash_key, mapping={"epoch": 77, "epoch_until": int(time.time()) - 1})
    assert is_signed_in(viewer)
    assert store.hget(hash_key, "epoch") == epoch
    assert int(store.get(f"{key}:requests")) == requests + 1


def test_a_session_that_begins_after_a_change_that_redis_missed_counts(app, viewer, store):
    """And ends the earlier ones at once."""
    assert is_signed_in(viewer)
    with app.app_context():
        queries.find_person("viewer").session_epoch += 1
        db.session.commit()
    late = Browser(app)
    late.sign_in("viewer")
    assert is_signed_in(late)
    assert not is_signed_in(viewer)
    assert is_signed_in(late)


def test_a_request_less_than_once_a_minute_extends_the_session_too(app, viewer, store):
    assert is_signed_in(viewer)
    (key,) = sessions(store)
    for _minute in range(2):
        store.expire(key, 100)
        with app.app_context():
            store.delete(f"{key}:seen", person_key(1), epoch_key(1))
        assert is_signed_in(viewer)
        assert store.ttl(key) > 12 * HOUR - 60


def test_other_fields_of_a_person_stay_when_the_epoch_changes(app, viewer, store):
    assert is_signed_in(viewer)
    store.hset(person_key(1), "zone", "Asia/Shanghai")
    with app.app_context():
        auth.set_password(OPERATOR, 1, "another password")
    assert not is_signed_in(viewer)
    assert store.hget(person_key(1), "zone") == "Asia/Shanghai"


@pytest.mark.parametrize("disabled", [True, False])
def test_changes_of_the_previous_release_end_sessions_at_once(viewer, store, disabled):
    """Its workers write gz:epoch:<id> only, and run beside ours during an upgrade."""
    assert is_signed_in(viewer)
    store.set("gz:epoch:1", 0 if disabled else int(store.get("gz:epoch:1")) + 1, ex=60)
    assert not is_signed_in(viewer)


def test_the_previous_release_sees_what_this_one_changes(app, viewer, store):
    assert is_signed_in(viewer)
    assert int(store.get("gz:epoch:1")) > 0
    with app.app_context():
        auth.set_active(OPERATOR, 1, False)
    assert store.get("gz:epoch:1") == "0"
    assert 0 < store.ttl("gz:epoch:1") <= 60


def test_an_older_epoch_does_not_replace_one_that_was_set_in_the_meantime(app, viewer, store):
    """A worker that read the database before the change writes to Redis after it."""
    with app.app_context():
        auth.set_active(OPERATOR, 1, False)
        epochs.write_epoch(1, 1, replace=False)
    assert store.hget(person_key(1), "epoch") == "0"
    assert not is_signed_in(viewer)
    store.delete(person_key(1))
    with app.app_context():
        store.set(epoch_key(1), 0, ex=60)  # by a worker of the previous release
        epochs.write_epoch(1, 1, replace=False)
    assert store.get(epoch_key(1)) == "0"


def test_a_response_before_the_session_is_opened_leaves_the_cookie_alone(app, viewer, monkeypatch):
    def refuse():
        flash("shown too early")
        abort(503)

    hooks = app.before_request_funcs[None]
    monkeypatch.setitem(app.before_request_funcs, None, [refuse, *hooks])
    response = viewer.get("/account")
    assert response.status_code == 503
    assert "Set-Cookie" not in response.headers
    assert not Page(response).has("[name=csrf_token]")
    monkeypatch.undo()
    page = viewer.get("/account")
    assert page.status_code == 200
    assert "shown too early" not in page.text


def test_a_session_of_the_previous_release_remains_valid(app, as_role, store):
    """It is read under the same key, with the same content, and has no CSRF token yet."""
    as_role("viewer")
    with app.app_context():
        epoch = queries.find_person("viewer").session_epoch
    sid = "x" * 43
    key = f"gz:session:{hashlib.sha256(sid.encode()).hexdigest()}"
    content = {
        "_permanent": True, "person": 1, "name": "viewer", "role": "viewer", "epoch": epoch,
        "must_change": False, "since": time.time() - 3600, "writer": "elsewhere:1",
    }  # fmt: skip
    store.set(key, json.dumps(content), ex=3600)
    browser = Browser(app)
    browser.client.set_cookie("gz", sid)
    assert browser.submit("/preferences", {}, page="/account").status_code == 303
    assert json.loads(store.get(key))["csrf_token"]


def test_wrong_password_starts_no_session(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"), pytest.raises(Invalid):
        sign_in.sign_in(ANONYMOUS, "viewer", "not the password", "192.0.2.1")


@contextmanager
def commands_sent(store):
    """The commands that reach Redis in this block, by name; not those that a script calls."""
    commands = []
    with store.monitor() as monitor:
        yield commands
        store.echo("the end")
        for command in monitor.listen():
            if command["command"].startswith("ECHO"):
                return
            name = command["command"].split()[0]
            if command["client_type"] != "lua" and name not in ("HELLO", "CLIENT"):
                commands.append(name)


def test_a_page_asks_redis_once_before_its_view(viewer, store):
    viewer.get("/account/password")
    with commands_sent(store) as commands:
        assert viewer.get("/account/password").status_code == 200
    assert commands == ["EVALSHA"]


def test_views_without_session_send_redis_nothing(viewer, store):
    with commands_sent(store) as commands:
        for method, path, status in (
            ("GET", "/healthz", 200),
            ("GET", "/static/x/gazetteer.css", 200),
            ("GET", "/static/x/missing.css", 404),
            ("GET", "/static", 404),
            ("POST", "/static/x/gazetteer.css", 405),
            ("GET", "/pi/1/2", 400),
            ("POST", "/pi/5", 405),
        ):
            with viewer.client.open(path, method=method, headers=HTML) as response:
                assert response.status_code == status, path
                assert "Cookie" not in response.headers.get("Vary", ""), path
                assert response.is_json is path.startswith(("/pi", "/healthz")), path
    assert commands == []


def test_many_requests_at_once_find_their_sessions(app):
    """More than redis-py's own limit of 100 connections."""
    assert app.extensions["redis"].connection_pool.max_connections >= 1000


def test_a_client_that_opens_no_page_does_not_grow_its_session(as_role, store):
    editor = as_role("editor")
    token = editor.token("/cities/new")
    (key,) = sessions(store)
    stored = []
    for number in range(10, 20):
        fields = {"province": "P", "city": f"city-{number}", "number": "1", "csrf_token": token}
        assert editor.client.post("/cities/new", data=fields, headers=HTML).status_code == 303
        stored.append(len(json.loads(store.get(key))[FLASHES]))
    assert stored == [1, 2, 3, 4, *[5] * 6]
    notices = Page(editor.get("/account")).texts(".notice-text")
    assert len(notices) == 5
    for number, notice in enumerate(notices, start=15):
        assert f"city-{number}" in notice
