"""One request writes at most 2 kB to the logs, whatever it sends."""

import json
import logging

import pytest

from app.logs import budget
from app.logs.budget import REQUEST_BYTES, has_room
from app.logs.events import EVENTS, event
from app.logs.lines import JsonFormatter, TextFormatter
from tests.applications import release
from tests.factories import HTML, add_person


class Written(logging.Handler):
    """Formats all lines as a web process does."""

    def __init__(self, formatter):
        super().__init__()
        self.setFormatter(formatter)
        self.addFilter(has_room)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))

    def clear(self):
        self.lines.clear()

    @property
    def size(self):
        return sum(len(line.encode()) + 1 for line in self.lines)


@pytest.fixture(params=[TextFormatter, JsonFormatter])
def written(request):
    handler, root = Written(request.param()), logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel("INFO")
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture(scope="module")
def noisy(applications):
    """An application with a view that fails, and one that logs much."""
    app = applications.make(commands=False, changed={"TRUSTED_PROXIES": "1"})

    @app.get("/fails/<path:path>")
    def fails(path):
        def deeper(depth):
            if depth:
                deeper(depth - 1)
            raise ValueError(path * 50)

        deeper(60)

    @app.get("/chatty/<path:path>")
    def chatty(path):
        for number in range(100):
            app.logger.warning("warning %s %s", number, path)
        event("form-refused", logging.WARNING)
        return "ok"

    app.testing = False
    return app


@pytest.fixture
def client(make_app, noisy):
    """A visitor of that application, on a fresh database."""
    yield noisy.test_client()
    release(noisy)


PATHS = {
    "short": "",
    "long": "a" * 8000,
    "controls": "%01" * 2600,
    "Chinese": "%E6%B7%B1" * 800,
    "quotes": "%22" * 2600,
    "backslashes": "%5C" * 2600,
    "emoji": "%F0%9F%98%80" * 600,
}
ANY_PATH = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


@ANY_PATH
@pytest.mark.parametrize(
    ("method", "prefix"),
    [("GET", "/nope/"), ("POST", "/cities/"), ("GET", "/fails/"), ("GET", "/chatty/")],
)
def test_no_request_writes_more(client, written, method, prefix, path):
    headers = {
        **HTML,
        "X-Forwarded-For": "x" * 4000,
        "X-Request-ID": "r" * 64,
        "User-Agent": "u" * 4000,
        "Referer": "http://localhost/" + "y" * 4000,
    }
    client.open(f"{prefix}{path}x", method=method, headers=headers)
    assert written.lines
    assert written.size <= REQUEST_BYTES
    assert any("status" in line for line in written.lines)


@ANY_PATH
def test_wrong_tokens_and_sign_ins_write_no_more(client, written, path):
    headers = {"Authorization": "Bearer gz_" + "x" * 4000, "X-Forwarded-For": "y" * 4000}
    client.get(f"/cities/{path}", headers=headers)
    assert written.size <= REQUEST_BYTES
    assert sum("token-refused" in line for line in written.lines) == 1
    written.clear()
    client.post("/login", data={"name": path, "password": "x"}, headers=headers)
    assert written.size <= REQUEST_BYTES


def test_an_error_keeps_its_last_frames_and_its_request_id(client, written):
    response = client.get("/fails/x", headers=HTML)
    assert response.status_code == 500
    failed, request = written.lines
    assert "ValueError: xxx" in failed
    assert "deeper" in failed
    for line in (failed, request):
        assert response.headers["X-Request-ID"] in line
    if failed.startswith("{"):
        assert json.loads(failed)["request_id"] == response.headers["X-Request-ID"]


def test_an_event_and_the_request_are_written_when_much_else_was(client, written):
    client.get("/chatty/x", headers=HTML)
    assert "form-refused" in written.lines[-2]
    assert "status" in written.lines[-1]
    assert sum("warning" in line for line in written.lines) < 20


def test_the_longest_lines_fit_what_is_reserved_for_them(make_app, written):
    """Those of a person with the longest name, with the longest address and request id."""
    app = make_app(TRUSTED_PROXIES="1")
    name = "梅" * 64
    with app.app_context():
        add_person(name)
    headers = {
        "X-Forwarded-For": "2001:db8:1111:2222:3333:4444:5555:6666",
        "X-Request-ID": "r" * 64,
    }
    app.test_client().post("/login", data={"name": name, "password": "x"}, headers=headers)
    for line in written.lines:
        assert len(line.encode()) <= budget.EVENT_BYTES + 150


def test_details_for_developers_are_not_counted(client, written):
    logging.getLogger().setLevel("DEBUG")
    with client.application.test_request_context("/login"):
        for _line in range(50):
            logging.getLogger("gazetteer.test").debug("x" * 200)
        client.application.logger.warning("y")
    assert sum("x" * 200 in line for line in written.lines) == 50
    assert " y" in written.lines[-1] or '"y"' in written.lines[-1]


def test_outside_of_requests_lines_have_a_limit_too(written):
    logging.getLogger("gazetteer.test").warning("x" * 10_000)
    logging.getLogger(EVENTS).warning("event", extra={"fields": {"event": "x", "path": "y" * 9000}})
    assert len(written.lines) == 2
    assert written.size < 1500
