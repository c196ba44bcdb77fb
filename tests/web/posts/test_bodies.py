"""Limits on forms, which the headers decide: nothing is read of a form that its sender may not
send."""

import io

import pytest

from app.web.posts.bodies import MEMBER_BYTES, MEMBER_PARTS, VISITOR_BYTES, VISITOR_PARTS
from tests.factories import HTML, add_token
from tests.web.test_security_matrix import (
    JSON,
    TABLE,
    Walker,
    asks_sign_in,
    declarations,
    example,
    filled,
)

__all__ = ["filled"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
POSTS = sorted(address for address, method in TABLE if method == "POST")
OPEN = ["/login", "/logout", "/preferences", "/setup/<token>"]  # to visitors


class Unreadable(io.RawIOBase):
    """A body that fails the test when it is read."""

    def read(self, size=-1):
        raise AssertionError("the body was read")


def post_unreadable(client, path, length, headers=HTML, kind=FORM):
    """Send a body of this length, which must not be read."""
    body = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(length)}
    return client.post(path, content_type=kind, headers=headers, environ_overrides=body)


@pytest.mark.parametrize("kind", [FORM, MULTIPART, "application/json"])
def test_nothing_is_read_of_a_form_that_is_not_for_visitors(kind, filled):
    client = filled.test_client()
    closed = [address for address in POSTS if address not in OPEN]
    assert len(closed) > 20
    for address in closed:
        for length in (1, 5_000, 9_000_000_000):
            answer = post_unreadable(client, example(address), length, kind=kind)
            assert asks_sign_in(answer), address
            refused = post_unreadable(client, example(address), length, JSON, kind)
            assert refused.status_code == 401, address


@pytest.mark.parametrize("path", ["/healthz", "/nothing-here", "/cities/1/nothing", "/pi/10"])
def test_nothing_is_read_where_nothing_can_be_sent(path, filled):
    for role in ("anonymous", "admin"):
        client = Walker(filled, role).browser.client
        assert post_unreadable(client, path, 5_000).status_code in (404, 405)


@pytest.mark.parametrize("kind", [FORM, MULTIPART, "application/json"])
@pytest.mark.parametrize("address", OPEN)
def test_forms_for_visitors_are_small(address, kind, app):
    answer = post_unreadable(app.test_client(), example(address), VISITOR_BYTES + 1, kind=kind)
    assert answer.status_code == 413
    assert "At most 8 KB can be sent here at once." in answer.text


@pytest.mark.parametrize("role", ["viewer", "admin", "token"])
def test_forms_of_members_are_larger_where_the_view_says_so(role, filled):
    walker = Walker(filled, role)
    larger = []
    for address in POSTS:
        view = declarations(filled, address)
        if view.csrf_after_guard:
            continue
        length = (view.max_body or MEMBER_BYTES) + 1
        if length > MEMBER_BYTES + 1:
            larger.append(address)
        answer = post_unreadable(walker.browser.client, example(address), length, walker.headers)
        assert answer.status_code == 413, address
    assert set(larger) == {
        "/cities/import",
        "/jobs/digest",
        "/jobs/new/<kind>",
        "/schedules/<schedule_id>/edit",
        "/schedules/new/<kind>",
    }


def body(kind, count):
    """A form with this number of fields."""
    if kind == FORM:
        return b"&".join(b"a=%d" % number for number in range(count))
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    return part * count + b"--b--\r\n"


@pytest.mark.parametrize("kind", [FORM, MULTIPART])
@pytest.mark.parametrize(("role", "most"), [("anonymous", VISITOR_PARTS), ("admin", MEMBER_PARTS)])
def test_forms_have_a_limit_of_fields(role, most, kind, filled):
    client = Walker(filled, role).browser.client
    sizes = {"data": body(kind, most), "content_type": kind, "headers": HTML}
    assert client.post("/login", **sizes).status_code == 400
    sizes["data"] = body(kind, most + 1)
    assert client.post("/login", **sizes).status_code == 413


def test_a_body_of_unknown_length_has_the_same_limit(app):
    def post(size):
        body = {
            "wsgi.input": io.BytesIO(b"x" * size),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        client = app.test_client()
        return client.post("/login", content_type=FORM, headers=HTML, environ_overrides=body)

    assert post(VISITOR_BYTES - 1).status_code == 400
    assert post(VISITOR_BYTES + 1).status_code == 413


def test_a_token_is_worth_as_much_as_a_session(filled):
    with filled.app_context():
        token = add_token(3)
    headers = {**JSON, "Authorization": f"Bearer {token}"}
    data = {"province": "x" * 20_000, "city": "x", "number": "1"}
    answer = filled.test_client().post("/cities/new", data=data, headers=headers)
    assert answer.status_code == 422
