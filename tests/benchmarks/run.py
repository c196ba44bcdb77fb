"""`make bench`: throughput beside an empty view in the same gunicorn and run, as one table.

python -m tests.benchmarks.run [ROWS]   MariaDB, 2 gevent workers, 32 connections, 100,000 rows.
Every figure is the median of five runs that take turns, so that whatever else the machine does
affects all of them. Nothing is asserted.
"""

import io
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import requests
from sqlalchemy import insert

from app import create_app
from app.auth import services as auth
from app.cities.models import City
from app.cities.rules import keys
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from app.numbers import pi
from tests import servers
from tests.applications import migrate
from tests.factories import OPERATOR, PASSWORD, add_token, csrf_token
from tests.site import Site

RUNS, SECONDS, CONNECTIONS = 5, 2, 32
BATCH = 10_000
PIS = 200  # of random n, in each run
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳台"
SYLLABLES = "安宝长德定东阜广海衡淮江金九兰连临龙南宁平青泉山上绍石太天文无西新扬宜永中"

# wrk asks these; `pages` walks through many addresses so that no cached fragment answers.
LUA = """
local n = 0
local paths = {%(paths)s}
request = function()
  n = n + 1
  return wrk.format("%(method)s", paths[(n * 7919) %% #paths + 1], nil, %(body)s)
end
"""


@dataclass
class Case:
    """One row of the table."""

    name: str
    paths: list[str]
    body: str = "nil"
    method: str = "GET"
    bare: bool = False


def make_rows(count: int) -> Iterator[list[dict[str, object]]]:
    """Random cities with a fixed seed, including duplicates."""
    rng = random.Random(20261121)
    for start in range(0, count, BATCH):
        rows = []
        for _ in range(min(BATCH, count - start)):
            province = f"{rng.choice(PROVINCES)}省"
            city = "".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) + "市"
            rows.append({
                "provincename": province, "cityname": city,
                "usernumber": rng.randint(0, 30_000_000), **keys(province, city),
            })  # fmt: skip
        yield rows


def prepare(env: dict[str, str], rows: int) -> str:
    """Create tables, a person and cities; returns an API token."""
    settings = Settings.load(env)
    create_database(settings.database_url)
    app = create_app(settings)
    migrate(app)
    with app.app_context():
        person = auth.create_person(OPERATOR, "editor", PASSWORD, "editor")
        with db.engine.begin() as connection:
            for batch in make_rows(rows):
                connection.execute(insert(City), batch)
        token = add_token(person, "bench")
        db.session.remove()
        db.engine.dispose()
    return token


def wrk(base: str, case: Case, cookie: str, folder: Path) -> tuple[float, float]:
    """Requests per second and the 99th percentile in milliseconds of one run."""
    script = folder / "case.lua"
    paths = ", ".join(f'"{path}"' for path in case.paths)
    script.write_text(LUA % {"paths": paths, "method": case.method, "body": case.body})
    out = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script),
         "-H", f"Cookie: gz={cookie}", "-H", "Accept: text/html",
         "-H", "Content-Type: application/x-www-form-urlencoded", base],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        sys.stderr.write(f"{case.name}: {bad[1]} responses were errors\n")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    assert rate, out
    assert slow, out
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


def deep_pages(client: requests.Session, base: str) -> list[str]:
    """Follow the links to the next page; returns the URLs."""
    found, path = [], "/cities"
    for step in range(600):
        text = client.get(base + path, timeout=10).text
        following = re.search(r'<a[^>]*href="([^"]+)"[^>]*rel="next"', text) or re.search(
            r'rel="next"[^>]*href="([^"]+)"', text
        )
        if not following:
            break
        path = following[1].replace("&amp;", "&")
        found.append(path)
        if step == 0:
            last = re.search(r'href="([^"]*(?:last|before|end)[^"]*)"', text)
            found += [last[1].replace("&amp;", "&")] if last else []
    return found


def upload(base: str, token: str, name: str, size: int) -> str:
    """Upload a text file of this size; returns the URL of its download."""
    response = requests.post(
        f"{base}/upload",
        files={"file": (name, io.BytesIO(b"x" * size))},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        timeout=120,
    )
    response.raise_for_status()
    return f"/files/{response.json()['files'][0]['id']}"


def transfer(base: str, path: str, cookie: str) -> float:
    """Megabytes per second of one large download."""
    began = time.perf_counter()
    count = 0
    response = requests.get(base + path, cookies={"gz": cookie}, stream=True, timeout=60)
    for block in response.iter_content(1 << 20):
        count += len(block)
    return count / 1e6 / (time.perf_counter() - began)


def pi_milliseconds(base: str) -> list[float]:
    """How long π takes that is not cached, sorted: one request after the other, at random n below
    the last that matters."""
    rng, found = random.Random(), []
    with requests.Session() as client:
        for _ in range(PIS):
            path = f"{base}/pi/{rng.randrange(pi.LAST_N)}"
            began = time.perf_counter()
            response = client.get(path, timeout=10)
            found.append((time.perf_counter() - began) * 1000)
            assert not response.json()["cached"], path
    return sorted(found)


def memory(base: str) -> list[int]:
    """Resident memory of each process of the server at this URL, in megabytes."""
    port, found = base.rsplit(":")[-1], []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            environ = (status.parent / "environ").read_bytes()
            text = status.read_text()
        except OSError:
            continue
        if f"PORT={port}".encode() in environ and "wsgi" in (status.parent / "cmdline").read_text():
            found.append(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024)  # type: ignore[index]
    return sorted(found)


def main(rows: int) -> None:
    """Start the servers, measure, print the results."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with ExitStack() as stack:
        folder = stack.enter_context(servers.short_folder("bench"))
        env = {
            **os.environ,
            "INSTANCE": str(folder / "instance"),
            "FILES_DIR": str(folder / "files"),
            "REDIS_URL": stack.enter_context(servers.redis_server(folder)),
            "DATABASE_URL": f"{stack.enter_context(servers.mariadb_server())}/bench",
            "SECRET_KEY": "b" * 64,
            "LOG_LEVEL": "WARNING",
        }
        token = prepare(env, rows)
        web = stack.enter_context(
            servers.gunicorn_server(env, folder / "web.log", "tests.benchmarks.wsgi:app")
        )
        bare = stack.enter_context(
            servers.gunicorn_server(
                {**env, "INSTANCE": str(folder / "bare")},
                folder / "bare.log",
                "tests.benchmarks.bare:app",
                "/empty",
            )
        )
        measure(web, bare, token, folder, rows)
        sys.stdout.write(f"\nResident memory of master and workers: {memory(web)} MB\n")


def measure(web: str, bare: str, token: str, folder: Path, rows: int) -> None:
    """Measure all cases in turn, several times, and print the table."""
    site = Site(web)
    client = site.sign_in("editor")
    cookie = site.cookie("editor")
    form = client.get(f"{web}/cities/new", timeout=10).text
    csrf = csrf_token(form)
    body = (
        f'"csrf_token={csrf}&key=" .. string.format("%016x%016x", math.random(0, 2^52), n) .. '
        '"&anyway=1&province=%E5%B9%BF%E4%B8%9C&city=bench" .. n .. "&number=1"'
    )
    deep = deep_pages(client, web)
    words = [f"/cities?q={requests.utils.quote(s)}" for s in SYLLABLES]
    requests.get(f"{web}/pi/1000000", timeout=30)
    small = upload(web, token, "small.txt", 4096)
    large = upload(web, token, "large.txt", 100 * 1024 * 1024)
    cases = [
        Case("bare Flask, empty", ["/empty"], bare=True),
        Case("empty view, all hooks", ["/empty"]),
        Case("list, cached", ["/cities"]),
        Case("list, every request another page", deep),
        Case("list, one page far down", deep[-2:-1]),
        Case("search, another word each time", words),
        Case("π(1,000,000) from the cache", ["/pi/1000000"]),
        Case("download 4 KiB", [small]),
        Case("create a city", ["/cities/new"], body, "POST"),
    ]
    results: dict[str, list[tuple[float, float]]] = {case.name: [] for case in cases}
    transfers: list[float] = []
    computed: list[float] = []
    for _ in range(RUNS):
        for case in cases:
            results[case.name].append(wrk(bare if case.bare else web, case, cookie, folder))
        transfers.append(transfer(web, large, cookie))
        computed += pi_milliseconds(web)
    empty = statistics.median(rate for rate, _ in results["empty view, all hooks"])
    sys.stdout.write(f"{rows} cities, MariaDB, 2 workers, {CONNECTIONS} connections\n\n")
    sys.stdout.write("| what | requests/s | of the empty view | p99 ms |\n|---|--:|--:|--:|\n")
    for case in cases:
        rate = statistics.median(r for r, _ in results[case.name])
        slow = statistics.median(p for _, p in results[case.name])
        sys.stdout.write(f"| {case.name} | {rate:,.0f} | {rate / empty:.1%} | {slow:.1f} |\n")
    median, slow = statistics.median(computed), sorted(computed)[int(0.99 * len(computed))]
    sys.stdout.write(f"\nπ at random n, not cached: median {median:.1f} ms, p99 {slow:.1f} ms\n")
    sys.stdout.write(f"Download of 100 MiB: {statistics.median(transfers):,.0f} MB/s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
