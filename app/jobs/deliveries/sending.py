"""One POST to a server, which ends within a time and after so many bytes, whatever it answers."""

import io
import math
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from app.jobs.deliveries.targets import NotSent, find_addresses
from app.settings.delivery_targets import DeliveryTarget
from app.text import N_, Message

TOTAL_SECONDS, CONNECT_SECONDS = 10.0, 4.0
ADDRESSES_MOST = 3
ANSWER_BYTES = 65_536

NO_HTTP = N_("The server closed the connection, or its answer is not HTTP.")
REDIRECTS = N_("The server answered %(status)d: it redirects, which is not followed.")
NOT_IN_TIME = N_("There was no answer in time.")


@dataclass(frozen=True)
class Reply:
    """What came of it: the status of the answer, or why there is none."""

    status: int | None = None
    failure: Message | None = None

    @property
    def is_received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def error(self) -> Message | None:
        """Why it was not received."""
        if self.status is None or self.is_received:
            return self.failure
        if 300 <= self.status < 400:
            return N_(REDIRECTS.text, status=self.status)
        return N_("The server answered %(status)d.", status=self.status)


class Deadline:
    """When everything has to be over."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """The seconds that are left, at most so many; TimeoutError if there are none."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return min(seconds, most)


class BoundedConnection:
    """A connection as http.client uses a socket: each step has what is left of the time. Whoever
    made it closes it."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self.connection, self.deadline = connection, deadline

    def sendall(self, data: bytes) -> None:
        self.connection.settimeout(self.deadline.left())
        self.connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(BoundedAnswer(self.connection, self.deadline))

    def close(self) -> None:
        """Nothing: what is read from it is closed by itself."""


class BoundedAnswer(io.RawIOBase):
    """What a server answers: of many bytes the first ones."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self.connection, self.deadline = connection, deadline
        self.unread = ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.connection.settimeout(self.deadline.left())
        if not self.unread:
            raise HTTPException("the answer is too long")
        count = self.connection.recv_into(buffer, min(len(buffer), self.unread))
        self.unread -= count
        return count


def post(target: DeliveryTarget, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Send a body to a server of the list."""
    deadline = Deadline(TOTAL_SECONDS)
    try:
        with connect(target, deadline) as connection:
            bounded = BoundedConnection(connection, deadline)
            return Reply(exchange(bounded, target, path, headers, body))
    except NotSent as error:
        return Reply(failure=error.message)
    except TimeoutError:
        return Reply(failure=NOT_IN_TIME)
    except HTTPException:
        return Reply(failure=NO_HTTP)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        return Reply(failure=N_("No secure connection: %(reason)s", reason=reason))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Reply(failure=N_("No connection: %(reason)s", reason=reason))


def connect(target: DeliveryTarget, deadline: Deadline) -> socket.socket:
    """A connection to a server, whose name is looked up once; with TLS it is checked."""
    connection = connect_any(find_addresses(target), target.port, deadline)
    if target.scheme == "http":
        return connection
    try:
        connection.settimeout(deadline.left())
        context = ssl.create_default_context()
        return context.wrap_socket(connection, server_hostname=target.server_name)
    except BaseException:
        connection.close()
        raise


def connect_any(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first of several addresses that answers."""
    *others, last = addresses[:ADDRESSES_MOST]
    for address in others:
        with suppress(OSError):
            return socket.create_connection((address, port), deadline.left(CONNECT_SECONDS))
    return socket.create_connection((last, port), deadline.left(CONNECT_SECONDS))


def exchange(
    connection: BoundedConnection,
    target: DeliveryTarget,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
) -> int:
    """Send the request and read the answer as far as its headers; returns its status."""
    with closing(HTTPConnection(target.host)) as http:
        http.sock = connection
        own = {"Host": target.authority, "Connection": "close"}
        http.request("POST", path, body, {**own, **headers})
        return http.getresponse().status
