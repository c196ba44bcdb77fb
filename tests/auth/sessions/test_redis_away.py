"""What people meet while Redis is away or hangs: 503 within a second, numbers all the same, and all
is well when it is back."""

import socket
from contextlib import ExitStack

import pytest
from flask import Response, flash, session
from redis.exceptions import RedisError

from app.actor import ANONYMOUS
from app.auth.sessions.start import start_session
from app.auth.sign_in import services as sign_in
from tests import servers
from tests.auth.helpers import cookie_of, is_signed_in
from tests.factories import HTML, PASSWORD, Browser, add_person
from tests.html import Page


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
    """The response, within three times the promised second."""
    return servers.within(3, lambda: browser.get(path, **kwargs))


def check_pages_without_redis(browser):
    for path in ("/account", "/cities", "/login"):
        response = quick(browser, path)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "2"
        page = Page(response)
        assert page.text("h1") == "Not available right now"
        assert page.has('link[href^="/static/"]')
        assert not page.has("[name=csrf_token]")
    assert quick(browser, "/account", headers={"Accept": "application/json"}).json["status"] == 503
    assert quick(browser, "/pi/1000").json == {"cached": False, "result": 3.14063710098594}
    assert quick(browser, "/fib/93").json == {"cached": False, "result": 12200160415121876738}
    response = quick(browser, "/numbers?pi=1000&fib=93")
    assert response.status_code == 200
    text = Page(response).text("main")
    assert "12200160415121876738" in text
    assert "The cache is not available right now." in text
    assert quick(browser, "/healthz").status_code == 200
    form = {"data": {"name": "viewer"}, "headers": HTML}
    for path in ("/login", "/account"):
        assert servers.within(3, lambda p=path: browser.client.post(p, **form)).status_code == 503


def test_redis_stops_and_comes_back(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    assert browser.get("/pi/1000").json["cached"] is False
    own_redis.stop()
    check_pages_without_redis(browser)
    own_redis.start()
    # It is asked again every tenth of a second.
    servers.wait_until(lambda: browser.get("/login").status_code == 200, "Redis is asked again")
    browser.sign_in("viewer")
    assert is_signed_in(browser)
    assert browser.get("/pi/1000").json["cached"] is False
    assert browser.get("/pi/1000").json["cached"] is True


def test_redis_that_hangs_is_like_one_that_is_stopped(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    own_redis.stop()
    path = own_redis.folder / "redis.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(100)
        check_pages_without_redis(browser)
    path.unlink()


def test_redis_that_stops_within_a_request_ends_in_503(own_app, own_redis):
    browser = Browser(own_app)
    browser.sign_in("viewer")
    headers = {"Cookie": f"gz={cookie_of(browser)}", **HTML}
    with own_app.test_request_context("/account", headers=headers):
        own_app.preprocess_request()
        session["colour"] = "red"
        own_redis.stop()
        response = own_app.process_response(
            Response("saved", 303, {"Location": "/session", "ETag": '"a"'})
        )
    assert response.status_code == 503
    assert "Location" not in response.headers
    assert "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert "Not available right now" in response.get_data(as_text=True)


def response_while_redis_stops(app, own_redis, caplog, method, change):
    """The response to a request during which Redis stops; its line in the log has its status."""
    caplog.set_level("INFO", "gazetteer.request")
    browser = Browser(app)
    browser.sign_in("viewer")
    headers = {"Cookie": f"gz={cookie_of(browser)}", **HTML}
    form = {"csrf_token": browser.token("/account")} if method == "POST" else None
    with app.test_request_context("/session/clear", method=method, headers=headers, data=form):
        app.preprocess_request()
        change()
        own_redis.stop()
        response = app.process_response(Response("", 303, {"Location": "/session"}))
    assert caplog.records[-1].fields["status"] == response.status_code
    return response


def test_a_change_that_was_made_is_not_reported_as_failed(own_app, own_redis, caplog):
    """Only its notice is lost."""
    response = response_while_redis_stops(
        own_app, own_redis, caplog, "POST", lambda: flash("Done.")
    )
    assert (response.status_code, response.location) == (303, "/session")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sign_out_that_did_not_reach_redis_is_reported_as_failed(
    own_app, own_redis, caplog, method
):
    response = response_while_redis_stops(
        own_app, own_redis, caplog, method, lambda: session.clear()
    )
    assert response.status_code == 503
    assert "Location" not in response.headers


def test_nobody_is_signed_in_if_redis_stops_during_the_sign_in(own_app, own_redis):
    """Nor does the person get the session that was there before."""
    planted = "x" * 43
    with own_app.test_request_context("/login", headers={"Cookie": f"gz={planted}"}):
        own_app.preprocess_request()
        person = sign_in.sign_in(ANONYMOUS, "viewer", PASSWORD, "192.0.2.1")
        own_redis.stop()
        with pytest.raises(RedisError):
            start_session(session, person)
        assert session.sid != planted
