"""What people meet while Redis is away or hangs: 503 within a second, numbers all the same, and all
is well when it is back."""

import socket
from contextlib import ExitStack

import pytest
from flask import Response, flash, session
from redis.exceptions import RedisError

from app.actor import ANONYMOUS
from app.auth import sign_in
from app.auth.sessions.start import start_session
from tests import servers
from tests.auth.sessions.test_sessions import cookie_of, signed_in
from tests.factories import HTML, PASSWORD, Browser, add_person


class OwnRedis:
    """A Redis that a test stops and starts."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.running = ExitStack()

    def start(self):
        assert self.running.enter_context(servers.redis_server(self.folder)) == self.url

    def stop(self):
        self.running.close()


@pytest.fixture
def own_redis():
    with servers.short_folder("own") as folder:
        server = OwnRedis(folder)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def own_app(make_app, own_redis):
    """An application on a Redis that can be stopped, with a person."""
    app = make_app(REDIS_URL=own_redis.url)
    with app.app_context():
        add_person("viewer")
    return app


def quick(browser, path, **kwargs):
    """An answer within three times the promised second."""
    return servers.within(3, lambda: browser.get(path, **kwargs))


def meets_redis_away(browser):
    for path in ("/account", "/cities", "/login"):
        answer = quick(browser, path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert "Not available right now" in answer.text
        assert 'href="/static/' in answer.text
        assert "csrf_token" not in answer.text
    assert quick(browser, "/account", headers={"Accept": "application/json"}).json["status"] == 503
    assert quick(browser, "/pi/1000").json == {"cached": False, "result": 3.14063710098594}
    assert quick(browser, "/fib/93").json == {"cached": False, "result": 12200160415121876738}
    page = quick(browser, "/numbers?pi=1000&fib=93")
    assert page.status_code == 200
    assert "12200160415121876738" in page.text
    assert "The cache is not available right now." in page.text
    assert quick(browser, "/healthz").status_code == 200
    form = {"data": {"name": "viewer"}, "headers": HTML}
    assert servers.within(3, lambda: browser.client.post("/login", **form)).status_code == 503


def test_redis_stops_and_comes_back(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    assert browser.get("/pi/1000").json["cached"] is False
    own_redis.stop()
    meets_redis_away(browser)
    own_redis.start()
    # It is asked again every tenth of a second.
    servers.wait_until(lambda: browser.get("/login").status_code == 200, "Redis is asked again")
    browser.sign_in("viewer")
    assert signed_in(browser)
    assert browser.get("/pi/1000").json["cached"] is False
    assert browser.get("/pi/1000").json["cached"] is True


def test_redis_that_hangs_is_as_one_away(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    own_redis.stop()
    path = own_redis.folder / "redis.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(100)
        meets_redis_away(browser)
    path.unlink()


def test_redis_that_stops_within_a_request_ends_in_503(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    headers = {"Cookie": f"gz={cookie_of(browser)}", **HTML}
    with own_app.test_request_context("/account", headers=headers):
        own_app.preprocess_request()
        session["colour"] = "red"
        own_redis.stop()
        answer = own_app.process_response(
            Response("saved", 303, {"Location": "/session", "ETag": '"a"'})
        )
    assert answer.status_code == 503
    assert "Location" not in answer.headers
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Not available right now" in answer.get_data(as_text=True)


def ended_while_redis_stops(app, own_redis, caplog, method, change):
    """What a request is answered, and its line in the log, when Redis stops before its end."""
    caplog.set_level("INFO", "gazetteer.request")
    browser = Browser(app)
    browser.sign_in("viewer")
    headers = {"Cookie": f"gz={cookie_of(browser)}", **HTML}
    with app.test_request_context("/session/clear", method=method, headers=headers):
        app.preprocess_request()
        change()
        own_redis.stop()
        answer = app.process_response(Response("", 303, {"Location": "/session"}))
    assert caplog.records[-1].fields["status"] == answer.status_code
    return answer


@pytest.fixture
def no_csrf(own_app):
    """The interleaving is made by hand here, without a form."""
    own_app.config["WTF_CSRF_METHODS"] = []


def test_what_was_done_is_not_told_as_failed(own_app, own_redis, caplog, no_csrf):
    """Only the sentence about it is lost."""
    answer = ended_while_redis_stops(own_app, own_redis, caplog, "POST", lambda: flash("Done."))
    assert (answer.status_code, answer.location) == (303, "/session")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sign_out_that_redis_did_not_hear_of_is_told_so(
    own_app, own_redis, caplog, no_csrf, method
):
    answer = ended_while_redis_stops(own_app, own_redis, caplog, method, lambda: session.clear())
    assert answer.status_code == 503
    assert "Location" not in answer.headers


def test_nobody_is_signed_in_when_redis_stops_meanwhile(own_app, own_redis):
    """Nor is the session that was there before the sign-in given to the person."""
    browser = Browser(own_app)
    browser.get("/login")
    planted = cookie_of(browser)
    with own_app.test_request_context("/login", headers={"Cookie": f"gz={planted}"}):
        own_app.preprocess_request()
        person = sign_in.sign_in(ANONYMOUS, "viewer", PASSWORD, "192.0.2.1")
        own_redis.stop()
        with pytest.raises(RedisError):
            start_session(session, person)
        assert session.sid != planted
