"""Clients without an account that send the most they may to every address that answers them, in a
process of their own: `python -m tests.deploy.strangers PORT SECONDS CLIENTS`. Prints how many
requests were answered, by status, as JSON."""

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

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


def requests(number: int) -> Iterator[Request]:
    """The requests of one client, without end. Names, π and Fibonacci numbers are new each time:
    each costs a hash or a computation, until a limit says 429."""
    for turn, (kind, body) in enumerate(itertools.cycle(BODIES)):
        for path in PATHS:
            yield "POST", path, body, {"Content-Type": kind}
        new = 100 * turn + number
        yield "POST", "/login", b"name=stranger%d&password=wrong" % new, {"Content-Type": FORM}
        for path in (f"/pi/{pi.LIMIT - new}", f"/fib/{fib.LIMIT - new}", "/numbers", "/login"):
            yield "GET", path, b"", {}


def send_until(deadline: float, port: int, number: int) -> Counter[str]:
    """Send them from a network of its own until the deadline; returns the number of responses by
    status."""
    statuses: Counter[str] = Counter()
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    for method, path, body, headers in requests(number):
        if time.monotonic() > deadline:
            break
        try:
            client.request(method, path, body, {**headers, "X-Address": f"198.51.100.{number}"})
            response = client.getresponse()
            response.read()
            statuses[str(response.status)] += 1
        except (OSError, HTTPException):
            client.close()
            statuses["broken"] += 1
    client.close()
    return statuses


def main(port: int, seconds: int, clients: int) -> None:
    """Run all clients at the same time."""
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        counts = pool.map(lambda number: send_until(deadline, port, number), range(clients))
        print(json.dumps(sum(counts, Counter())))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
