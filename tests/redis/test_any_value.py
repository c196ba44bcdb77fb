"""No page ends in an error whatever something else wrote under the keys of the application."""

import io
import json
import re
from itertools import islice

import pytest

from tests.cities.conftest import add_city
from tests.factories import HTML, Browser, add_person

TYPES = {
    "text": lambda kept, key: kept.set(key, "text"),
    "not UTF-8": lambda kept, key: kept.set(key, b"\xff\xfe"),
    "nothing": lambda kept, key: kept.set(key, ""),
    "large number": lambda kept, key: kept.set(key, 2**63 - 1),
    "hash": lambda kept, key: kept.hset(key, mapping={"epoch": "x", "hits": "y", "a": b"\xff"}),
    "list": lambda kept, key: kept.rpush(key, "a"),
    "set": lambda kept, key: kept.sadd(key, "a"),
    "sorted set": lambda kept, key: kept.zadd(key, {"a": 1}),
    "stream": lambda kept, key: kept.xadd(key, {"a": "b"}),
}
SESSION = re.compile("gz:session:[0-9a-f]+")
SHAPES = [None, True, -1, 1.5, 2**63 - 1, 2**70, "", "text", [], [1], [["a"]], {}, {"a": 1}]
NUMBERS = ("/pi/20000", "/fib/20001", "/fib/150000")
# Those that read a value, by the beginning of its key.
PAGES = {
    "gz:session": ("/session",),
    "gz:cities": ("/cities", "/cities/glance"),
    "gz:files": ("/files",),
}


@pytest.fixture
def kept(app):
    return app.extensions["redis"]


@pytest.fixture
def editor(app, kept):
    """A browser of somebody who has used everything that stores something in Redis."""
    with app.app_context():
        add_person("editor", "editor")
        add_city()
    browser = Browser(app)
    Browser(app).submit("/login", {"name": "editor", "password": "wrong"})
    browser.sign_in("editor")
    for path in ("/cities", "/cities/glance", "/files", *NUMBERS, "/readyz"):
        assert browser.get(path).status_code == 200
    browser.submit("/session/set", {"key": "a", "value": "b"}, page="/session")
    browser.batch = upload(browser)
    return browser


def upload(browser):
    """Upload a good and a bad file; returns the address of the results."""
    files = [(io.BytesIO(b"a"), "a.txt"), (io.BytesIO(b"b"), "b.exe")]
    answer = browser.submit(
        "/upload", {"file": files}, page="/files", content_type="multipart/form-data"
    )
    assert answer.status_code == 303
    return answer.location


def statuses(app, browser, cookie):
    """What the application answers to the person with that cookie, to a visitor and a sign-in."""
    browser.client.set_cookie("gz", cookie)
    paths = ("/cities", "/cities/glance", "/files", "/session", "/session/get?key=a", "/account")
    found = [browser.get(path).status_code for path in (*paths, browser.batch)]
    page = browser.get("/session").text
    if "csrf_token" in page:
        fields = {"key": "a", "value": "c"}
        found.append(browser.submit("/session/set", fields, page="/session").status_code)
        found.append(browser.submit("/session/clear", page="/session").status_code)
    found += [browser.get(path).status_code for path in (*NUMBERS, "/numbers")]
    other = Browser(app)
    found.append(other.submit("/login", {"name": "x", "password": "wrong"}).status_code)
    return found


def keys_of(kept):
    """All keys but locks, which others hold while they have a value."""
    return sorted(key for key in kept.keys("*") if not key.startswith("gz:lock:"))


@pytest.mark.parametrize("kind", TYPES)
def test_values_of_another_type(app, editor, kept, kind):
    """First under all keys but the session's own, then under that too."""
    cookie = editor.client.get_cookie("gz").value
    keys = keys_of(kept)
    assert len(keys) > 12
    for some in ([key for key in keys if not SESSION.fullmatch(key)], keys):
        for key in some:
            kept.delete(key)
            TYPES[kind](kept, key)
        found = statuses(app, editor, cookie)
        assert not [status for status in found if status >= 500]
    editor.sign_in("editor")


def changed(value):
    """The JSON value with one part of it replaced, in every way."""
    yield from SHAPES
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in items:
        for other in changed(part) if isinstance(part, (dict, list)) else SHAPES:
            copy = value.copy()
            copy[name] = other
            yield copy
        if isinstance(value, dict):
            yield {key: part for key, part in value.items() if key != name}


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.soak)])
def test_json_of_another_shape(app, editor, kept, step):
    """Sessions, cached values and results: every shape somewhere, and in `make soak` everywhere."""
    cookie = editor.client.get_cookie("gz").value
    tried = 0
    for key in keys_of(kept):
        if kept.type(key) != "string":
            continue
        text = kept.get(key)
        header, line, body = text.rpartition("\n")
        try:
            value = json.loads(body)
        except ValueError:
            continue
        if not isinstance(value, (dict, list)):
            continue
        for other in islice(changed(value), 0, None, step):
            tried += 1
            kept.set(key, f"{header}{line}{json.dumps(other)}", keepttl=True)
            editor.client.set_cookie("gz", cookie)
            for path in PAGES.get(":".join(key.split(":")[:2]), (editor.batch,)):
                assert editor.get(path).status_code < 500, (key, other)
        kept.set(key, text, keepttl=True)
    assert tried > 400 / step


@pytest.mark.parametrize(
    ("page", "field"), [("/session", "key"), ("/session", "value"), ("/cities/new", "province")]
)
def test_a_file_in_place_of_a_text(as_role, page, field):
    editor = as_role("editor")
    data = {"csrf_token": editor.token(page), "key": "a", "city": "b", "number": "1"}
    data[field] = (io.BytesIO(b"x"), "x.txt")
    path = "/session/set" if page == "/session" else page
    answer = editor.client.post(path, data=data, headers=HTML, content_type="multipart/form-data")
    assert answer.status_code in (303, 422)
