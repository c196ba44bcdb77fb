"""How large the body of a request may be, which its headers decide before anything is read, and
what happens to an unread one."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from flask import Response, after_this_request, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.actor import Role
from app.concurrency import PacedBody, yield_to_hub
from app.current import actor
from app.errors import NotAForm
from app.web.declarations import declared

URLENCODED = NotAForm.types[0]
START_RESPONSE = "gazetteer.start_response"  # of the server, in the environment of a request

# The most bytes and fields of a form, unless the view declares more bytes for members. The largest
# page has about 2 kB of fields.
VISITOR_BYTES, VISITOR_PARTS = 8_192, 50
MEMBER_BYTES, MEMBER_PARTS = 65_536, 1_000
TEXT_BYTES = 4 << 20  # the most of all fields that are not files, which are in memory

# How much of an unread body is read after the response, and for how long. A client
# that is still sending when its connection is closed may lose the response.
LINGER_BYTES, LINGER_SECONDS = 65_536, 1.0
BLOCK = 16_384
# What may still be in transit when the client sees the response: the buffers of both ends.
IN_FLIGHT_BYTES, IN_FLIGHT_BLOCK = 16 << 20, 1 << 18


class RequestBody(PacedBody):
    """The body of a request. gunicorn would read all that is left of it before the next request,
    however large, and let no other request run while a fast client goes on sending."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ["wsgi.input"])
        self.socket: socket.socket | None = environ.get("gunicorn.socket")
        self.received, self.ended = 0, False

    def read(self, size: int = -1) -> bytes:
        """Read a block. gunicorn's exceptions about malformed chunks become OSErrors, which
        Werkzeug answers with 400."""
        try:
            block = super().read(size)
        except OSError:
            raise
        except Exception as error:
            raise OSError("malformed request body") from error
        self.ended = self.ended or (not block and size != 0)
        self.received += len(block)
        return block

    def finish(self) -> None:
        """After the response: read a short rest. If it is longer, have gunicorn close the
        connection, as it does when a body could not be read."""
        if self.ended or self.socket is None:
            return
        left = LINGER_BYTES
        # Also a client that sends a byte now and then: a block of it would never be complete.
        with suppress(OSError), gevent.Timeout(LINGER_SECONDS, OSError):
            while not self.ended and left > 0:
                left -= len(self.read(min(BLOCK, left)))
        if not self.ended:
            self.body.failed = True  # type: ignore[attr-defined]
            self.discard(self.socket)

    @staticmethod
    def discard(connection: socket.socket) -> None:
        """Close our end of the connection, and discard what still arrives. Closing both ends at
        once would reset it, and nginx would answer 502."""
        left = IN_FLIGHT_BYTES
        with suppress(OSError), gevent.Timeout(LINGER_SECONDS, OSError):
            connection.shutdown(socket.SHUT_WR)
            while left > 0 and (block := connection.recv(IN_FLIGHT_BLOCK)):
                left -= len(block)
                yield_to_hub()


def has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def open_body() -> None:
    """Replace the body by a RequestBody."""
    if has_body():
        g.body = request.environ["wsgi.input"] = RequestBody(request.environ)
        after_this_request(close_body)


def announce_close() -> None:
    """Have gunicorn announce that it closes the connection; only it can. nginx would otherwise send
    another request over it."""
    response: Any = getattr(request.environ.get(START_RESPONSE), "__self__", None)
    if hasattr(response, "force_close"):
        response.force_close()


def close_body(response: Response) -> Response:
    """After the response, finish the body; if much of it is left, the connection ends."""
    length = request.content_length
    left = LINGER_BYTES + 1 if length is None else length - g.body.received
    if left > LINGER_BYTES and not g.body.ended:
        announce_close()
    response.call_on_close(g.body.finish)
    return response


def limit_body() -> None:
    """Set the limits of this request's form, and refuse it by its headers if it is too large."""
    if actor().has_role(Role.VIEWER):
        size, parts = declared().max_body or MEMBER_BYTES, MEMBER_PARTS
    else:
        size, parts = VISITOR_BYTES, VISITOR_PARTS
    set_limits(size, parts)
    if (request.content_length or 0) > size:
        raise RequestEntityTooLarge()
    if make_file := declared().make_file:
        receive_files(make_file)


def receive_files(make_file: Callable[[int], Any]) -> None:
    """Have each file of this request's form written to what `make_file` makes of the length of the
    request."""
    g.received_files = []

    def open_file(total_content_length: int | None, **_headers: object) -> Any:
        g.received_files.append(make_file(total_content_length or 0))
        return g.received_files[-1]

    request._get_file_stream = open_file  # type: ignore[method-assign, assignment]


def close_files(_error: BaseException | None = None) -> None:
    """At the end of the request close its files, also one that was not received to its end."""
    for file in g.pop("received_files", []):
        file.close()


def set_limits(size: int, parts: int) -> None:
    request.max_content_length, request.max_form_parts = size, parts
    request.max_form_memory_size = min(size, TEXT_BYTES)


def check_parts() -> None:
    """Werkzeug limits the fields of multipart forms only, and cuts off the other ones where they
    are sent in chunks."""
    if request.mimetype != URLENCODED:
        return
    data, most = request.get_data(), request.max_content_length or 0
    cut_off = request.content_length is None and len(data) >= most
    if cut_off or data.count(b"&") >= (request.max_form_parts or 0):
        raise RequestEntityTooLarge()


def is_form_or_empty() -> bool:
    """True if the body has the content type of a form, or is empty and has none."""
    return request.mimetype in NotAForm.types if request.mimetype else not has_body()
