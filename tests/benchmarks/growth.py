"""`make growth`: what one request costs as the register grows, on MariaDB and on SQLite.

SIZES=1000,10000 and DATABASES=sqlite for less; all sizes of both take about 40 minutes. One
client asks one request after the other. There are as many history entries as cities, and some
thousand of an import and of an upload. Each cell is the median of the elapsed milliseconds and, in
brackets, the processor time per request of the web processes and of MariaDB. Nothing is asserted.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask
from redis import Redis
from sqlalchemy import func, select, text

from app import create_app
from app.auth import services as auth
from app.cities.cache import CACHE, COUNTED
from app.cities.models import City
from app.config import Settings
from app.database.cursor import LAST, Cursor, write_cursor
from app.database.engine import db
from app.database.schema import create_database
from tests import servers
from tests.applications import migrate
from tests.benchmarks.clients import Client
from tests.benchmarks.machine import processor_seconds, settle, with_descendants
from tests.benchmarks.rows import NOWHERE, PROVINCES, SYLLABLES, add_entries, add_rows
from tests.benchmarks.sides import start
from tests.factories import OPERATOR, PASSWORD, csrf_token
from tests.html import Page
from tests.site import Site

SIZES = tuple(map(int, os.environ.get("SIZES", "1000,10000,100000,1000000").split(",")))
DATABASES = tuple(os.environ.get("DATABASES", "mariadb,sqlite").split(","))
# So many requests, more of them if they are fast, and fewer if they are slow.
RUNS, RUNS_MOST, SECONDS, SECONDS_MOST = 9, 40, 1.0, 6.0
EXPORT_SECONDS = 60  # then an export is cut

MANY, FEW, NONE = SYLLABLES[0], SYLLABLES[:3], NOWHERE
PROVINCE = f"{PROVINCES[2]}省"  # of one city in 34


@dataclass
class Register:
    """A running site with a register, and somebody who is signed in. `far` is the cursor of a row
    in the middle, by users."""

    app: Flask
    base: str
    web: int
    database: int | None
    redis: Redis
    client: Client
    token: str
    size: int = 0
    far: str = ""
    numbers: Iterator[int] = field(default_factory=count)

    def grow(self, size: int) -> None:
        """Add cities and as many history entries."""
        more = size - self.size
        with self.app.app_context():
            add_rows(more, seed=size)
            add_entries(self.size, more)
            if self.database:
                with db.engine.connect() as connection:
                    connection.execute(text("ANALYZE TABLE city, history"))
            row = db.session.execute(
                select(City.id, City.usernumber)
                .order_by(City.usernumber.desc(), City.id.desc())
                .offset(size // 2)
                .limit(1)
            ).one()
            self.far = write_cursor(Cursor(True, row.id, row.usernumber))
            db.session.remove()
        self.size = size
        settle(self.web, self.database)

    def newest(self) -> int:
        with self.app.app_context():
            found: int = db.session.scalar(select(func.max(City.id))) or 0
            db.session.remove()
        return found

    def forget(self) -> None:
        """Delete what the register has cached."""
        for cache in (CACHE, COUNTED):
            if keys := list(self.redis.scan_iter(f"{cache.prefix}:*", 1000)):
                self.redis.delete(*keys)

    def get(self, path: str) -> bool:
        return self.client.get(path)[0] == 200

    def create(self) -> bool:
        number = f"{self.size}x{next(self.numbers)}"
        form = {"province": PROVINCE, "city": f"New {number}", "number": 1, "key": f"key{number}"}
        return self.client.post("/cities/new", urlencode({**form, "csrf_token": self.token}))

    def open_form(self) -> dict[str, str]:
        """The form of the newest city, with another number of users."""
        path = f"/cities/{self.newest()}"
        _status, page = self.client.get(path)
        inputs = Page(page.decode()).all("form.form input[name]")
        form = {str(each["name"]): str(each.get("value", "")) for each in inputs}
        changed = {"number": str(next(self.numbers)), "csrf_token": self.token, "path": path}
        return {**form, **changed}

    def edit(self, form: dict[str, str]) -> bool:
        path = form.pop("path")
        return self.client.post(path, urlencode(form))

    def spent(self) -> tuple[float, float]:
        """The processor time of the web processes and of the database so far."""
        database = processor_seconds([self.database]) if self.database else 0.0
        return processor_seconds(with_descendants(self.web)), database


@dataclass(frozen=True)
class Case:
    """One line of the table. `prepare` is called before each request and not measured; its result
    is passed to `ask`, which returns whether the response was the expected one. Unless it takes
    long, the first request is not measured: it opens connections and loads templates."""

    name: str
    ask: Callable[[Register, object], bool]
    prepare: Callable[[Register], object] = lambda _register: None
    takes_long: bool = False


def cached(name: str, path: str) -> Case:
    return Case(name, lambda register, _: register.get(path))


def missed(name: str, path: str) -> Case:
    """Nothing of the register is cached."""
    return Case(name, lambda register, _: register.get(path), Register.forget)


def far_down(register: Register) -> str:
    """The address of any page of the list."""
    return f"/cities?page={write_cursor(Cursor(True, random.randint(1, register.size)))}"


def export(name: str, query: str = "", kind: str = "csv") -> Case:
    path = f"/cities/export.{kind}{query}"
    return Case(
        name, lambda register, _: register.client.stream(path, EXPORT_SECONDS), takes_long=True
    )


CITIES = "/cities?"
CASES = [
    cached("empty view", "/empty"),
    cached("list, cached", "/cities"),
    missed("list, first page", "/cities"),
    Case("list, far down", lambda register, path: register.get(str(path)), far_down),
    missed("list, last page", f"{CITIES}page={write_cursor(LAST)}"),
    missed("search, many rows", f"{CITIES}q={quote(MANY)}"),
    missed("search, few rows", f"{CITIES}q={quote(FEW)}"),
    missed("search, no rows", f"{CITIES}q={quote(NONE)}"),
    missed("search, one row in 34", f"{CITIES}q={quote(PROVINCE)}"),
    missed("search, many rows, by users", f"{CITIES}sort=users&q={quote(MANY)}"),
    missed("search, few rows, by city", f"{CITIES}sort=city&q={quote(FEW)}"),
    missed("search, no rows, by city", f"{CITIES}sort=city&q={quote(NONE)}"),
    missed("province", f"{CITIES}province={quote(PROVINCE)}"),
    missed("province, by users", f"{CITIES}sort=users&province={quote(PROVINCE)}"),
    missed("province, by city", f"{CITIES}sort=city&province={quote(PROVINCE)}"),
    missed("province, by changed", f"{CITIES}sort=changed&province={quote(PROVINCE)}"),
    missed("by users", f"{CITIES}sort=users"),
    Case(
        "by users, far down",
        lambda register, _: register.get(f"{CITIES}sort=users&page={register.far}"),
        Register.forget,
    ),
    missed("by city", f"{CITIES}sort=city"),
    missed("by province", f"{CITIES}sort=province"),
    missed("by changed", f"{CITIES}sort=changed"),
    missed("flawed", f"{CITIES}flawed=1"),
    missed("statistics", "/cities/glance"),
    cached("start page, cached", "/"),
    missed("start page", "/"),
    cached("search in everything, many rows", f"/search?q={quote(MANY)}"),
    cached("search in everything, no rows", f"/search?q={quote(NONE)}"),
    missed("new city, form", "/cities/new"),
    Case("create", lambda register, _: register.create()),
    Case("edit", lambda register, form: register.edit(form), Register.open_form),  # type: ignore[arg-type]
    Case("list after a write", lambda register, _: register.get("/cities"), Register.create),
    export("export"),
    export("export, search, many rows", f"?q={quote(MANY)}"),
    export("export, by city", "?sort=city"),
    export("export, Excel", kind="xlsx"),
]


@contextmanager
def running_register(name: str) -> Iterator[Register]:
    """Start a site on a database, with an empty register."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(servers.short_folder(name)))
        url, database = f"sqlite:///{folder}/growth.sqlite", None
        if name == "mariadb":
            server, database = start(
                stack, servers.mariadb_server("--innodb-flush-log-at-trx-commit=1")
            )
            url = f"{server}/growth"
        env = {
            "INSTANCE": str(folder / "instance"),
            "REDIS_URL": stack.enter_context(servers.redis_server(folder)),
            "DATABASE_URL": url,
            "SECRET_KEY": "b" * 64,
        }
        create_database(Settings.load(env).database_url)
        app = create_app(Settings.load(env))
        migrate(app)
        with app.app_context():
            auth.create_person(OPERATOR, "editor", PASSWORD, "editor")
            db.session.remove()
        base, web = start(
            stack, servers.gunicorn_server(env, folder / "web.log", "tests.benchmarks.wsgi:app")
        )
        session = Site(base).sign_in("editor")
        client = Client(base, "; ".join(f"{each.name}={each.value}" for each in session.cookies))
        token = csrf_token(session.get(f"{base}/cities/new", timeout=60).text)
        redis = stack.enter_context(Redis.from_url(env["REDIS_URL"]))
        yield Register(app, base, web, database, redis, client, token)
        client.close()
        with app.app_context():
            db.engine.dispose()


def measure(case: Case, register: Register) -> str:
    """The cell of a case: elapsed and processor time, and how many requests failed."""
    times, spent, failures = [], [0.0, 0.0], 0
    register.client.close()  # the server may have closed it in the meantime
    if not case.takes_long:
        attempt(case, register, case.prepare(register))
    begun = time.perf_counter()
    while is_due(len(times), time.perf_counter() - begun):
        prepared, before = case.prepare(register), register.spent()
        started = time.perf_counter()
        failures += not attempt(case, register, prepared)
        times.append(time.perf_counter() - started)
        after = register.spent()
        spent = [total + new - old for total, new, old in zip(spent, after, before, strict=True)]
    shown = spent if register.database else spent[:1]
    processor = [f"{1000 * seconds / len(times):,.0f}" for seconds in shown]
    cell = f"{1000 * statistics.median(times):,.0f} [{'+'.join(processor)}]"
    return f"{cell} **{failures} of {len(times)} failed**" if failures else cell


def attempt(case: Case, register: Register, prepared: object) -> bool:
    """True for the expected response, in time."""
    try:
        return case.ask(register, prepared)
    except (OSError, HTTPException):
        return False


def is_due(asked: int, seconds: float) -> bool:
    """True if another request is to be measured."""
    if asked < RUNS:
        return not asked or seconds < SECONDS_MOST
    return asked < RUNS_MOST and seconds < SECONDS


def main() -> None:
    """Measure all cases on each database, and print a table of each as soon as it is complete."""
    if not set(DATABASES) <= {"mariadb", "sqlite"}:
        sys.exit("DATABASES must be mariadb, sqlite, or both with a comma between.")
    for name in DATABASES:
        rows: dict[str, list[str]] = {case.name: [] for case in CASES}
        with running_register(name) as register:
            for size in sorted(SIZES):
                sys.stderr.write(f"{name}: {size:,} cities\n")
                register.grow(size)
                for case in CASES:
                    try:
                        cell = measure(case, register)
                    except (OSError, HTTPException) as error:  # of what is not measured
                        cell = f"**{error!r}**"
                    sys.stderr.write(f"  {case.name}: {cell}\n")
                    rows[case.name].append(cell)
        sizes = " | ".join(f"{size:,}" for size in sorted(SIZES))
        lines = [f"\n| {name}: ms [web + database] | {sizes} |", f"|---|{'--:|' * len(SIZES)}"]
        lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in rows.items()]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
