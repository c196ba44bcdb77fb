"""Clients without an account that send the most they may to every address that answers them, in a
process of their own: `python -m tests.deploy.strangers PORT SECONDS CLIENTS forms`, or `costs` for
what makes the server compute. Prints how many requests were answered, by status, as JSON."""

import itertools
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected

from app.numbers import fib, pi
from app.web.posts.bodies import VISITOR_BYTES, VISITOR_PARTS

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PATHS = ("/login", "/logout", "/preferences", "/setup/none", "/upload", "/cities", "/nothing")


def fields() -> bytes:
    """A form with the most fields and bytes."""
    names = [b"a%d=" % number for number in range(VISITOR_PARTS)]
    return b"&".join(names).ljust(VISITOR_BYTES, b"x")


def parts(more: bytes = b"") -> bytes:
    """The same in parts; with more words in each header."""
    part = b'--b\r\nContent-Disposition: form-data; name="a"' + more + b"\r\n\r\n%s\r\n"
    left = VISITOR_BYTES - len(part % b"" * VISITOR_PARTS) - len(b"--b--")
    return part % (b"x" * (left // VISITOR_PARTS)) * VISITOR_PARTS + b"--b--"


# The first three are as large as a form may be; the others are refused by their kind or size.
BODIES = (
    (FORM, fields()),
    (MULTIPART, parts()),
    (MULTIPART, parts(b'; filename="b"')),
    (FORM, b"&" * VISITOR_BYTES),
    (FORM, b"a&" * 60_000),
    ("application/json", b"[" * VISITOR_BYTES),
)

Request = tuple[str, str, bytes, dict[str, str]]


class Stranger:
    """A client with an address of its own, and a connection that it opens again."""

    def __init__(self, port: int, number: int) -> None:
        self.number = number
        self.client = HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"X-Address": f"198.51.100.{number}"}
        self.statuses: Counter[str] = Counter()

    def send_until(self, deadline: float, kind: str) -> Counter[str]:
        """Send requests until the deadline; returns the number of responses by status."""
        token = re.search(
            rb'name="csrf_token" value="([^"]+)"', self.send("GET", "/login", b"", {})
        )
        requests = self.forms() if kind == "forms" else self.costs(token[1] if token else b"")
        for request in requests:
            if time.monotonic() > deadline:
                break
            self.send(*request)
        self.client.close()
        return self.statuses

    def forms(self) -> Iterator[Request]:
        """Forms for every address, without end."""
        for kind, body in itertools.cycle(BODIES):
            for path in PATHS:
                yield "POST", path, body, {"Content-Type": kind}

    def costs(self, token: bytes) -> Iterator[Request]:
        """Sign-ins under another name each time, and other numbers: each costs a hash or a
        computation, until a limit says 429."""
        for new in itertools.count(self.number, 100):
            sign_in = b"name=stranger%d&password=wrong&csrf_token=%s" % (new, token)
            yield "POST", "/login", sign_in, {"Content-Type": FORM}
            for path in (f"/pi/{pi.LIMIT - new}", f"/fib/{fib.LIMIT - new}", "/numbers", "/login"):
                yield "GET", path, b"", {}

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> HTTPResponse:
        self.client.request(method, path, body, {**self.headers, **headers})
        return self.client.getresponse()

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        """The body of the response; empty if the connection broke."""
        try:
            try:
                response = self.request(method, path, body, headers)
            except RemoteDisconnected:
                # nginx had closed the connection after an upload that was refused unread. Browsers
                # repeat a request that found its connection closed (RFC 9112, 9.3.1).
                self.client.close()
                response = self.request(method, path, body, headers)
            text = response.read()
        except (OSError, HTTPException):
            self.client.close()
            self.statuses["broken"] += 1
            return b""
        self.statuses[str(response.status)] += 1
        if cookie := response.headers["Set-Cookie"]:
            self.headers.setdefault("Cookie", cookie.partition(";")[0])  # that of the first form
        return text


def main(port: int, seconds: int, clients: int, kind: str) -> None:
    """Run all clients at the same time."""
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        strangers = [Stranger(port, number) for number in range(clients)]
        counts = pool.map(lambda stranger: stranger.send_until(deadline, kind), strangers)
        print(json.dumps(sum(counts, Counter())))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), sys.argv[4])
