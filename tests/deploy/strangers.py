"""Clients without an account that send the most they may, in a process of their own:
`python -m tests.deploy.strangers PORT SECONDS CLIENTS`. Prints how many requests were answered."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n'
BODIES = [
    (FORM, b"a&" * 4096),
    (FORM, b"a=1&" * 2048),
    (FORM, b"name=viewer&password=wrong"),
    (FORM, b"a&" * 60_000),
    (PARTS, FIELD * 50 + b"--b--"),
    (PARTS, FILE * 50 + b"--b--"),
    ("application/json", b"[" * 8000),
]


def send_until(deadline: float, port: int, number: int) -> int:
    """Send forms from a network of its own until the deadline; returns how many were answered."""
    answered = 0
    while time.monotonic() < deadline:
        client = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            for kind, body in BODIES:
                for path in ("/login", "/preferences", "/upload"):
                    headers = {"Content-Type": kind, "X-Address": f"198.51.100.{number}"}
                    client.request("POST", path, body, headers)
                    client.getresponse().read()
                    answered += 1
        except (OSError, HTTPException):
            continue
        finally:
            client.close()
    return answered


def main(port: int, seconds: int, clients: int) -> None:
    """Run all clients at the same time."""
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        counts = pool.map(lambda number: send_until(deadline, port, number), range(clients))
        print(sum(counts))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
