"""Sessions: final when ended, ended when old, and never made of what is none."""

import json
import pickle
import time
from contextlib import contextmanager

import pytest
from flask import Response, session
from redis import Redis

from app.actor import ANONYMOUS
from app.auth import passwords, queries, sign_in
from app.auth import services as auth
from app.auth.sessions import FLASHES
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

    monkeypatch.setattr(auth, "hash_password", hash_password)
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
        kept.delete(auth.epoch_key(person.id))
    assert not signed_in(viewer)


def test_one_who_signs_in_while_the_password_changes_is_out(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"):
        app.preprocess_request()
        person = sign_in.sign_in(ANONYMOUS, "viewer", PASSWORD, "192.0.2.1")
        auth.set_password(OPERATOR, person.id, "another password")
        sign_in.start_session(session, person)
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
     b'{"person":1,"name":"viewer","role":["admin"],"epoch":1,"since":9e9}'],
)  # fmt: skip
def test_what_is_no_session_signs_nobody_in(viewer, kept, data):
    (key,) = sessions(kept)
    kept.set(key, data)
    answer = viewer.get("/account")
    assert answer.status_code == 303
    viewer.sign_in("viewer")
    assert signed_in(viewer)


def test_wrong_password_is_no_session(app, as_role):
    as_role("viewer")
    with app.test_request_context("/login"), pytest.raises(Invalid):
        sign_in.sign_in(ANONYMOUS, "viewer", "not the password", "192.0.2.1")


def test_addresses_for_everybody_ask_for_no_session(viewer, kept):
    kept.config_resetstat()
    for path in ("/healthz", "/static/x/gazetteer.css"):
        with viewer.get(path) as answer:
            assert answer.status_code == 200
    assert "cmdstat_get" not in kept.info("commandstats")


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
