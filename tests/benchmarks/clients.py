"""The clients of the benchmarks: wrk for many requests at once, and one that asks one after the
other, uploads and downloads."""

import http.client
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tests.benchmarks.figures import Load, percentile

TIMEOUT = 10
BLOCK = bytearray(1 << 20)
FORM = "application/x-www-form-urlencoded"

# A redirect to the page for signing in is a failure too. A form gets another word each time.
LUA = """
local paths, form, word, n = {%(paths)s}, %(form)s, "%(word)s", 0
failed, answered = 0, 0
request = function()
  n = n + 1
  local path = paths[(n - 1) %% #paths + 1]
  if form == "" then return wrk.format("GET", path) end
  return wrk.format("POST", path, nil, (string.gsub(form, "{}", word .. n)))
end
response = function(status, headers, body)
  answered = answered + 1
  local place = headers["Location"] or headers["location"] or ""
  if status ~= %(expected)d or string.find(place, "/login", 1, true) then failed = failed + 1 end
end
local threads = {}
setup = function(thread) table.insert(threads, thread) end
done = function(summary, latency, requests)
  local thread, errors = threads[1], summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\\n{"answered": %%d, "failed": %%d, "broken": %%d, "us": %%d, "p50": %%d, "p99": %%d}\\n',
    thread:get("answered"), thread:get("failed"), broken,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Asked:
    """What wrk asks for: these paths in turn, with cookies. With a `form` it posts that, in which
    `{}` is replaced by another word each time."""

    base: str
    paths: Sequence[str]
    cookies: str = ""
    form: str = ""
    expected: int = 200


def start_wrk(
    asked: Asked, connections: int, seconds: float, folder: Path
) -> "subprocess.Popen[str]":
    """Start wrk with so many connections."""
    script = folder / f"{secrets.token_hex(4)}.lua"
    script.write_text(
        LUA
        % {
            "paths": ", ".join(map(json.dumps, asked.paths)),
            "form": json.dumps(asked.form),
            "word": secrets.token_hex(8),
            "expected": asked.expected,
        }
    )
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", f"--timeout={TIMEOUT}s",
         "-s", str(script), "-H", f"Cookie: {asked.cookies}", "-H", "Accept: text/html",
         "-H", f"Content-Type: {FORM}", asked.base],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def result_of(wrk: "subprocess.Popen[str]", seconds: float = 300) -> Load:
    """Wait for it, for so long at most, and read its result."""
    output, _errors = wrk.communicate(timeout=seconds)
    _head, start, result = output.partition("\n{")
    if not start:  # nobody listens
        return Load(0, 1, 0.0, nan, nan)
    found = json.loads(start + result)
    p50, p99 = (found[name] / 1000 if found["answered"] else nan for name in ("p50", "p99"))
    return Load(
        done=found["answered"] - found["failed"],
        failures=found["failed"] + found["broken"],
        seconds=found["us"] / 1e6,
        p50=p50,
        p99=p99,
    )


class Client:
    """One connection with the cookies of somebody, which is opened again after a failure."""

    def __init__(self, base: str, cookies: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self.headers = {"Cookie": cookies, "Accept": "text/html"}

    @contextmanager
    def closed_after_a_failure(self) -> Iterator[None]:
        """The next request opens the connection again."""
        try:
            yield
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    @contextmanager
    def response(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request; yields the response, which is to be read."""
        with self.closed_after_a_failure():
            self.connection.request(method, path, body, {**self.headers, **headers})
            yield self.connection.getresponse()

    def get(self, path: str) -> tuple[int, bytes]:
        with self.response("GET", path) as response:
            return response.status, response.read()

    def post(self, path: str, form: str) -> bool:
        """Send a form; True if that succeeded."""
        with self.response("POST", path, form, **{"Content-Type": FORM}) as response:
            return redirects(response)

    def stream(self, path: str, seconds: float) -> bool:
        """Read a long response; False if it failed or was not complete after so many seconds."""
        deadline = time.monotonic() + seconds
        with self.response("GET", path) as response:
            while response.readinto(BLOCK):
                if time.monotonic() > deadline:
                    self.close()
                    return False
            return response.status == 200

    def download(self, path: str, size: int) -> bool:
        """Download a file; True if it was all there."""
        count = 0
        with self.response("GET", path) as response:
            while read := response.readinto(BLOCK):
                count += read
            return response.status == 200 and count == size

    def upload(self, path: str, token: str, name: str, file: IO[bytes]) -> bool:
        """Upload a file with the CSRF token of its form; True if that succeeded."""
        edge = secrets.token_hex(16)
        part = f'--{edge}\r\nContent-Disposition: form-data; name="'
        head = (
            f'{part}csrf_token"\r\n\r\n{token}\r\n{part}file"; filename="{name}"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        ).encode()
        tail = f"\r\n--{edge}--\r\n".encode()
        size = len(head) + file.seek(0, 2) + len(tail)
        kind = f"multipart/form-data; boundary={edge}"
        headers = {**self.headers, "Content-Type": kind, "Content-Length": str(size)}
        with self.closed_after_a_failure():
            self.connection.putrequest("POST", path)
            for item in headers.items():
                self.connection.putheader(*item)
            self.connection.endheaders(head)
            self.connection.sock.sendfile(file, 0)
            self.connection.send(tail)
            return redirects(self.connection.getresponse())

    def close(self) -> None:
        self.connection.close()


def redirects(response: http.client.HTTPResponse) -> bool:
    """True if a response leads to a page that is not the one for signing in."""
    response.read()
    return response.status == 303 and "/login" not in response.getheader("Location", "/login")


def repeat(
    ask: Callable[[], bool], seconds: float, pause: float = 0, volume: int = 0, least: int = 1
) -> Load:
    """Ask one after the other for so long, and so often at least; `ask` returns whether it
    succeeded. With a pause it asks once in each of these intervals."""
    begun, times, failures = time.perf_counter(), [], 0
    while len(times) < least or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        try:
            failures += not ask()
        except (OSError, http.client.HTTPException):
            failures += 1
        times.append(time.perf_counter() - start)
        time.sleep(max(0.0, pause - times[-1]))
    taken = time.perf_counter() - begun
    p50, p99 = (1000 * percentile(times, share) for share in (0.5, 0.99))
    return Load(len(times) - failures, failures, taken, p50, p99, volume)
