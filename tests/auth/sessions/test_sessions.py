"""Sessions: final when ended, ended when old, and never made of what is none."""

import hashlib
import json
import pickle
import time
from contextlib import contextmanager

import pytest
from flask import Response, abort, flash, session
from redis import Redis

from app.actor import ANONYMOUS
from app.auth import passwords, queries, sign_in
from app.auth import services as auth
from app.auth.sessions import epochs
from app.auth.sessions.epochs import epoch_key, person_key
from app.auth.sessions.interface import FLASHES
from app.auth.sessions.start import start_session
from app.errors import Invalid
from tests import servers
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person, add_token

HOUR = 3600


@pytest.fixture
def kept(redis_url):
    """What the application keeps in Redis."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def cookie_of(browser):
    return browser.client.get_cookie("gz").value


def sessions(kept):
    return [key for key in kept.keys("gz:session:*") if key.count(":") == 2]


def signed_in(browser):
    return browser.get("/account").status_code == 200


def rewrite(kept, **changed):
    """Change what the only session holds, without touching its life."""
    (key,) = sessions(kept)
    kept.set(key, json.dumps({**json.loads(kept.get(key)), **changed}), keepttl=True)


@contextmanager
def slow_request(app, browser):
    """A request of the browser that loaded its session and is not done yet; calling what this
    yields ends it."""
    headers = {"Cookie": f"gz={cookie_of(browser)}"}
    with app.test_request_context("/account", headers=headers):
        app.preprocess_request()

        def finish():
            return app.process_response(Response("done"))

        yield finish


def test_sign_out_is_final_against_a_slow_request(app, viewer, kept):
    cookie = cookie_of(viewer)
    with slow_request(app, viewer) as finish:
        assert session["name"] == "viewer"
        answer = viewer.submit("/logout", page="/account")
        assert answer.status_code == 303
        session["written"] = "after the sign-out"
        assert "Set-Cookie" not in finish().headers
    viewer.client.set_cookie("gz", cookie)
    assert not signed_in(viewer)
    assert not [key for key in sessions(kept) if "viewer" in kept.get(key)]


def test_a_new_password_is_final_against_a_slow_request(app, viewer):
    cookie = cookie_of(viewer)
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    with slow_request(app, viewer) as finish:
        assert viewer.submit("/account/password", fields).status_code == 303
        session["written"] = "after the change"
        finish()
    assert signed_in(viewer)
    viewer.client.set_cookie("gz", cookie)
    assert not signed_in(viewer)


def test_sign_out_is_final_against_a_slow_change_of_password(app, viewer, kept, monkeypatch):
    """Which would begin a new session, under an id that the sign-out knows nothing of."""
    cookie, token = cookie_of(viewer), viewer.token("/account/password")
    second = Browser(app)
    second.client.set_cookie("gz", cookie)

    def hash_password(password):
        assert second.client.post("/logout", data={"csrf_token": token}).status_code == 303
        return passwords.hash_password(password)

    monkeypatch.setattr(sign_in, "hash_password", hash_password)
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    data = {**fields, "csrf_token": token}
    answer = viewer.client.post("/account/password", data=data, headers=HTML)
    assert answer.status_code == 401
    assert "This session has ended" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert not [key for key in sessions(kept) if "viewer" in kept.get(key)]
    assert not signed_in(viewer)
    viewer.sign_in("viewer", "another password")


def test_scripts_have_no_session(app, as_role, kept):
    as_role("editor")
    with app.app_context():
        token = add_token(queries.find_person("editor").id)
    before = kept.keys("gz:session:*")
    headers = {**HTML, "Authorization": f"Bearer {token}"}
    script = Browser(app)
    fields = {"province": "P", "city": "C", "number": "1"}
    for answer in (
        script.get("/cities", headers=headers),
        script.client.post("/cities/new", data=fields, headers=headers),
    ):
        assert answer.status_code in (200, 303)
        assert "Set-Cookie" not in answer.headers
    assert kept.keys("gz:session:*") == before


def test_visitors_have_no_session_before_they_sign_in(browser, kept):
    for _visit in range(3):
        answer = browser.get("/numbers?pi=1000&fib=93")
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert 'name="scheme"' in answer.text
    assert not kept.keys("gz:session:*")
    assert "Set-Cookie" in browser.get("/login").headers
    assert kept.keys("gz:session:*")


def test_sign_out_leaves_nothing_in_redis(viewer, kept):
    viewer.get("/account")
    before = set(kept.keys("gz:session:*"))
    viewer.submit("/logout", page="/account")
    assert before
    assert not before & set(kept.keys("gz:session:*"))


def test_get_does_not_sign_out(viewer):
    assert viewer.get("/logout").status_code == 405
    assert signed_in(viewer)


def test_redis_knows_only_a_digest_of_the_session_id(viewer, kept):
    viewer.get("/account")
    cookie = cookie_of(viewer)
    for key in kept.keys("*"):
        assert cookie not in key
        if kept.type(key) == "string":
            assert cookie not in kept.get(key)


def test_a_session_planted_before_the_sign_in_is_worth_nothing(app, as_role):
    as_role("viewer")
    victim, planter = Browser(app), Browser(app)
    victim.get("/login")
    planted = cookie_of(victim)
    victim.sign_in("viewer")
    planter.client.set_cookie("gz", planted)
    assert signed_in(victim)
    assert not signed_in(planter)


def test_an_unused_session_ends(viewer, kept):
    (key,) = sessions(kept)
    assert 12 * HOUR - 60 <= kept.ttl(key) <= 12 * HOUR
    kept.pexpire(key, 1)
    servers.wait_until(lambda: not kept.exists(key), "it has ended")
    assert not signed_in(viewer)


def test_use_extends_a_session_once_a_minute(viewer, kept):
    assert signed_in(viewer)
    (key,) = sessions(kept)
    kept.expire(key, 100)
    assert signed_in(viewer)
    assert kept.ttl(key) <= 100
    kept.delete(f"{key}:seen")  # as after a minute
    assert signed_in(viewer)
    assert kept.ttl(key) > 12 * HOUR - 60
    assert kept.ttl(f"{key}:requests") > 12 * HOUR - 60


def test_idle_and_absolute_life_are_settings(make_app, kept):
    app = make_app(SESSION_IDLE_HOURS="1", SESSION_ABSOLUTE_DAYS="2")
    with app.app_context():
        add_person("viewer")
    browser = Browser(app)
    browser.sign_in("viewer")
    (key,) = sessions(kept)
    assert kept.ttl(key) <= HOUR
    rewrite(kept, since=time.time() - 2 * 86400 + 60)
    assert signed_in(browser)
    rewrite(kept, since=time.time() - 2 * 86400 - 1)
    assert not signed_in(browser)


def test_a_session_ends_after_its_absolute_life_however_much_it_is_used(viewer, kept):
    rewrite(kept, since=time.time() - 14 * 86400 + 60)
    assert signed_in(viewer)
    rewrite(kept, since=time.time() - 14 * 86400 - 1)
    assert not signed_in(viewer)
    assert not [key for key in sessions(kept) if "viewer" in kept.get(key)]


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
    assert signed_in(viewer)
    with app.app_context():
        change(queries.find_person("viewer"))
    assert not signed_in(viewer)


def test_the_end_does_not_hang_on_redis_keeping_the_epoch(app, viewer, kept):
    with app.app_context():
        person = queries.find_person("viewer")
        auth.set_active(OPERATOR, person.id, False)
        kept.delete(person_key(person.id))
    assert not signed_in(viewer)


def test_one_who_signs_in_while_the_password_changes_is_out(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"):
        app.preprocess_request()
        person = sign_in.sign_in(ANONYMOUS, "viewer", PASSWORD, "192.0.2.1")
        auth.set_password(OPERATOR, person.id, "another password")
        start_session(session, person)
        cookie = app.process_response(Response()).headers["Set-Cookie"]
    late = Browser(app)
    late.client.set_cookie("gz", cookie.partition("=")[2].partition(";")[0])
    assert not signed_in(late)


def test_the_disabled_cannot_slip_in_under_their_new_epoch(app, viewer, kept):
    with app.app_context():
        person = queries.find_person("viewer")
        auth.set_active(OPERATOR, person.id, False)
        epoch = queries.find_person("viewer").session_epoch
    rewrite(kept, epoch=epoch)
    assert not signed_in(viewer)


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
def test_what_is_no_session_signs_nobody_in(viewer, kept, data):
    (key,) = sessions(kept)
    kept.set(key, data)
    answer = viewer.get("/account")
    assert answer.status_code == 303
    viewer.sign_in("viewer")
    assert signed_in(viewer)


def test_an_epoch_counts_for_a_minute_and_is_then_read_from_the_database(app, viewer, kept):
    assert signed_in(viewer)
    (key,) = sessions(kept)
    requests = int(kept.get(f"{key}:requests"))
    with app.app_context():
        person = queries.find_person("viewer")
        hash_key = person_key(person.id)
        assert 50 < int(kept.hget(hash_key, "epoch_until")) - time.time() < 70
        # As after a minute, in which Redis missed a change.
        kept.hset(hash_key, mapping={"epoch": 77, "epoch_until": int(time.time()) - 1})
    assert signed_in(viewer)
    assert kept.hget(hash_key, "epoch") == "1"
    assert int(kept.get(f"{key}:requests")) == requests + 1


def test_somebody_who_asks_less_than_once_a_minute_keeps_their_session(app, viewer, kept):
    assert signed_in(viewer)
    (key,) = sessions(kept)
    for _minute in range(2):
        kept.expire(key, 100)
        with app.app_context():
            kept.delete(f"{key}:seen", person_key(1), epoch_key(1))
        assert signed_in(viewer)
        assert kept.ttl(key) > 12 * HOUR - 60


def test_other_fields_of_a_person_stay_when_the_epoch_changes(app, viewer, kept):
    assert signed_in(viewer)
    kept.hset(person_key(1), "zone", "Asia/Shanghai")
    with app.app_context():
        auth.set_password(OPERATOR, 1, "another password")
    assert not signed_in(viewer)
    assert kept.hget(person_key(1), "zone") == "Asia/Shanghai"


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_person_whom_the_release_before_disabled_or_changed_is_out_at_once(viewer, kept, epoch):
    """Its workers write gz:epoch:<id> only, and run beside ours during an upgrade."""
    assert signed_in(viewer)
    kept.set("gz:epoch:1", epoch, ex=60)
    assert not signed_in(viewer)


def test_the_release_before_sees_what_this_one_changes(app, viewer, kept):
    assert signed_in(viewer)
    assert kept.get("gz:epoch:1") == "1"
    with app.app_context():
        auth.set_active(OPERATOR, 1, False)
    assert kept.get("gz:epoch:1") == "0"
    assert 0 < kept.ttl("gz:epoch:1") <= 60


def test_an_older_epoch_does_not_replace_one_that_was_set_in_the_meantime(app, viewer, kept):
    """A worker that read the database before the change writes to Redis after it."""
    with app.app_context():
        auth.set_active(OPERATOR, 1, False)
        epochs.write_epoch(1, 1, replace=False)
    assert kept.hget(person_key(1), "epoch") == "0"
    assert not signed_in(viewer)
    kept.delete(person_key(1))
    with app.app_context():
        kept.set(epoch_key(1), 0, ex=60)  # by a worker of the release before
        epochs.write_epoch(1, 1, replace=False)
    assert kept.get(epoch_key(1)) == "0"


def test_an_answer_before_the_session_is_opened_leaves_the_cookie_alone(app, viewer, monkeypatch):
    def refuse():
        flash("said too early")
        abort(503)

    hooks = app.before_request_funcs[None]
    monkeypatch.setitem(app.before_request_funcs, None, [refuse, *hooks])
    answer = viewer.get("/account")
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers
    assert "csrf_token" not in answer.text
    monkeypatch.undo()
    page = viewer.get("/account")
    assert page.status_code == 200
    assert "said too early" not in page.text


def test_a_session_of_the_release_before_goes_on(app, as_role, kept):
    """It is read under the same key, with the same content, and has no CSRF token yet."""
    as_role("viewer")
    sid = "x" * 43
    key = f"gz:session:{hashlib.sha256(sid.encode()).hexdigest()}"
    content = {
        "_permanent": True, "person": 1, "name": "viewer", "role": "viewer", "epoch": 1,
        "must_change": False, "since": time.time() - 3600, "writer": "elsewhere:1",
    }  # fmt: skip
    kept.set(key, json.dumps(content), ex=3600)
    browser = Browser(app)
    browser.client.set_cookie("gz", sid)
    assert browser.submit("/preferences", {}, page="/account").status_code == 303
    assert json.loads(kept.get(key))["csrf_token"]


def test_wrong_password_is_no_session(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"), pytest.raises(Invalid):
        sign_in.sign_in(ANONYMOUS, "viewer", "not the password", "192.0.2.1")


@contextmanager
def asked(kept):
    """The commands that reach Redis in this block, by name; not those that a script calls."""
    commands = []
    with kept.monitor() as monitor:
        yield commands
        kept.echo("the end")
        for command in monitor.listen():
            if command["command"].startswith("ECHO"):
                return
            name = command["command"].split()[0]
            if command["client_type"] != "lua" and name not in ("HELLO", "CLIENT"):
                commands.append(name)


def test_a_page_asks_redis_once_before_its_view(viewer, kept):
    viewer.get("/account")
    with asked(kept) as commands:
        assert signed_in(viewer)
    assert commands == ["EVALSHA"]


def test_addresses_for_everybody_ask_for_no_session(viewer, kept):
    with asked(kept) as commands:
        for method, path, status in (
            ("GET", "/healthz", 200),
            ("GET", "/static/x/gazetteer.css", 200),
            ("GET", "/static/x/missing.css", 404),
            ("GET", "/static", 404),
            ("POST", "/static/x/gazetteer.css", 405),
            ("GET", "/pi/1/2", 400),
            ("POST", "/pi/5", 405),
        ):
            with viewer.client.open(path, method=method, headers=HTML) as answer:
                assert answer.status_code == status, path
                assert "Cookie" not in answer.headers.get("Vary", ""), path
                assert answer.is_json is path.startswith(("/pi", "/healthz")), path
    assert commands == []


def test_many_at_once_find_their_sessions(app):
    """More than redis-py's own limit of 100 connections."""
    assert app.extensions["redis"].connection_pool.max_connections >= 1000


def test_a_client_that_opens_no_page_does_not_grow_its_session(as_role, kept):
    editor = as_role("editor")
    token = editor.token("/cities/new")
    (key,) = sessions(kept)
    carried = []
    for number in range(10, 20):
        fields = {"province": "P", "city": f"city-{number}", "number": "1", "csrf_token": token}
        assert editor.client.post("/cities/new", data=fields, headers=HTML).status_code == 303
        carried.append(len(json.loads(kept.get(key))[FLASHES]))
    assert carried == [1, 2, 3, 4, *[5] * 6]
    told = editor.get("/account").text
    assert [number for number in range(10, 20) if f"city-{number}" in told] == [*range(15, 20)]
