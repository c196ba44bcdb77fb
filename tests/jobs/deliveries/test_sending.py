"""One POST: what servers may answer, and how long they may take."""

import socket
import ssl
import threading
from contextlib import closing, suppress

import pytest

from app.jobs.deliveries import sending
from app.jobs.deliveries.sending import post
from app.settings.delivery_targets import DeliveryTarget
from tests import servers
from tests.jobs.deliveries.conftest import listening, read_request, saying

BODY = b'{"a": 1}'
OK = "HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"


def post_to(port, scheme="http", host="results.lan"):
    """Post to a server on loopback, which the list names with its address."""
    target = DeliveryTarget(scheme, host, port, "127.0.0.1")
    return post(target, "/results?x=1", {"Idempotency-Key": "7"}, BODY)


def test_the_request_is_complete():
    seen = []

    def answer(connection):
        seen.append(read_request(connection))
        connection.sendall(OK.replace("\n", "\r\n").encode())

    with listening(answer) as port:
        reply = post_to(port)
    assert (reply.status, reply.error, reply.is_received) == (200, None, True)
    [text] = seen
    head, _empty, body = text.partition("\r\n\r\n")
    assert body == BODY.decode()
    first, *headers = head.split("\r\n")
    assert first == "POST /results?x=1 HTTP/1.1"
    assert {f"Host: results.lan:{port}", "Content-Length: 8", "Connection: close"} < {*headers}
    assert "Idempotency-Key: 7" in headers


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ("HTTP/1.1 204 No Content\n\n", 204, None),
        ("HTTP/1.1 100 Continue\n\nHTTP/1.1 202 Accepted\n\n", 202, None),
        ("HTTP/1.1 500 Oops\n\n", 500, "The server answered %(status)d."),
        ("HTTP/1.1 404 Not Found\n\n", 404, "The server answered %(status)d."),
        ("HTTP/1.1 302 Found\nLocation: http://127.0.0.1/\n\n", 302, sending.REDIRECTS.text),
        ("SSH-2.0-OpenSSH\n", None, sending.NO_HTTP.text),
        ("", None, sending.NO_HTTP.text),
        (f"HTTP/1.1 200 OK\nX: {'x' * 70_000}\n\n", None, sending.NO_HTTP.text),
        ("HTTP/1.1 100 Continue\n\n" * 10_000, None, sending.NO_HTTP.text),
    ],
    ids=["204", "100", "500", "404", "302", "ssh", "nothing", "long line", "endless"],
)
def test_answers(answer, status, error):
    with listening(saying(answer)) as port:
        reply = post_to(port)
    assert (reply.status, reply.error and reply.error.text) == (status, error)


def test_a_server_that_is_down_is_reported():
    with closing(socket.socket()) as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        reply = post_to(bound.getsockname()[1])
    assert reply.status is None
    assert reply.error.text == "No connection: %(reason)s"
    assert reply.error.values == {"reason": "Connection refused"}


@pytest.mark.parametrize("sent", ["", "HTTP/1.1 200 OK\r\nX: "])
def test_a_slow_server_does_not_get_more_time_by_sending_a_little(monkeypatch, sent):
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.5)
    over = threading.Event()

    def answer(connection):
        connection.sendall(sent.encode())
        while not over.wait(0.02):
            if sent:
                connection.sendall(b"x")

    with listening(answer) as port:
        reply = post_to(port)
        over.set()
    assert (reply.status, reply.error) == (None, sending.NOT_IN_TIME)


@pytest.fixture
def secure(tmp_path):
    """A server with a certificate for results.lan; yields its port and the certificate."""
    certificate, key = servers.make_certificate(tmp_path, "results.lan")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as wrapped:
            saying(OK)(wrapped)

    with listening(answer) as port:
        yield port, certificate


def test_the_certificate_is_checked(secure, monkeypatch):
    port, certificate = secure
    refused = post_to(port, "https")
    assert refused.status is None
    assert refused.error.text == "No secure connection: %(reason)s"
    assert refused.error.values["reason"].startswith("self")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert post_to(port, "https").is_received
    other = post_to(port, "https", "other.lan")
    assert "other.lan" in other.error.values["reason"]


def test_a_server_without_tls_is_not_secure():
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        reply = post_to(port, "https")
    assert reply.status is None
    assert reply.error.text in ("No secure connection: %(reason)s", "No connection: %(reason)s")


def test_the_next_address_is_tried():
    """As for a name with an IPv6 and an IPv4 address, of which one is not reachable."""
    with listening(saying(OK)) as port:
        deadline = sending.Deadline(5)
        found = sending.connect_any(["127.0.0.2", "127.0.0.1"], port, deadline)
        with found:
            assert found.getpeername()[0] == "127.0.0.1"
    with pytest.raises(OSError, match="refused"):
        sending.connect_any(["127.0.0.1"], port, sending.Deadline(5))


def test_nothing_is_left_open():
    closed = threading.Event()

    def answer(connection):
        saying(OK)(connection)
        connection.settimeout(60)
        with suppress(ConnectionError):
            connection.recv(1)
        closed.set()

    with listening(answer) as port:
        assert post_to(port).is_received
        assert closed.wait(60)
