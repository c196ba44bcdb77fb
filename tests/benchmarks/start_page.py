"""How long the start page takes with a large register and a long history.

python -m tests.benchmarks.start_page [CITIES] [ENTRIES]    SQLite, then MariaDB; 100,000 cities and
1,000,000 entries. The newest are an import, a folder of uploads and some single changes. Prints
medians in milliseconds: elapsed, and the work of this process alone, which other programs on the
machine do not lengthen; with cached totals, and after a change of the register.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, select

from app import create_app
from app.auth import services as auth
from app.cities import cache
from app.cities.models import City
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from app.history.models import HistoryEntry
from app.times import now
from tests import servers
from tests.applications import environment, migrate
from tests.benchmarks.run import BATCH, make_rows
from tests.cities.conftest import multiply_cities
from tests.factories import HTML, OPERATOR, PASSWORD, Browser

IMPORT, UPLOADS, SINGLE = 5000, 3000, 20  # the newest entries, oldest first
RUNS = 40


def make_entries(first: int, count: int, **more: object) -> list[dict[str, object]]:
    """Entries that follow each other, the first of which stands for the others of its batch."""
    start = now() - timedelta(days=300)
    common = {
        "actor_id": 1, "via": "page", "visible_to": 0, "subject_kind": "city", "version": 2,
        "action": "city.update", "old_values": '{"users": 5}', "new_values": '{"users": 7}',
        "batch_id": None, **more,
    }  # fmt: skip
    return [
        {
            **common,
            "at": start + timedelta(seconds=20 * number),
            "subject_id": number % BATCH + 1,
            "folded": common["batch_id"] is not None and number > first,
        }
        for number in range(first, first + count)
    ]


def fill(app: Flask, cities: int, entries: int) -> Browser:
    """Create the tables and fill them; returns the browser of an editor."""
    create_database(app.config["SETTINGS"].database_url)
    migrate(app)
    table = HistoryEntry.__table__
    columns = [column for column in table.c if not column.primary_key]
    newest = [
        (IMPORT, {"action": "city.create", "batch_id": "import"}),
        (UPLOADS, {"action": "file.create", "batch_id": "folder", "subject_kind": "file"}),
        (SINGLE, {}),
    ]
    with app.app_context():
        auth.create_person(OPERATOR, "editor", PASSWORD, "editor")
        with db.engine.begin() as connection:
            connection.execute(insert(City), next(make_rows(BATCH)))
            connection.execute(insert(table), make_entries(0, BATCH))
        multiply_cities(cities // BATCH)
        for _copy in range(entries // BATCH - 1):
            with db.engine.begin() as connection:
                copy = select(*columns).where(table.c.id <= BATCH)
                connection.execute(insert(table).from_select(columns, copy))
        for count, more in newest:
            with db.engine.begin() as connection:
                connection.execute(insert(table), make_entries(entries, count, **more))
        db.session.remove()
    browser = Browser(app)
    browser.begin_session("editor")
    return browser


def measure(browser: Browser, before: Callable[[], object], path: str = "/") -> str:
    """The medians of the elapsed time, and of the time that this process worked."""
    times: list[tuple[float, float]] = []
    for _run in range(RUNS):
        before()
        elapsed, own = time.perf_counter(), time.process_time()
        response = browser.client.get(path, headers=HTML)
        times.append((time.perf_counter() - elapsed, time.process_time() - own))
        assert response.status_code == 200, response.text
    return "".join(
        f"{1000 * statistics.median(column):8.1f}" for column in zip(*times, strict=True)
    )


def change_register(app: Flask) -> None:
    with app.app_context():
        cache.invalidate()


def main(cities: int = 100_000, entries: int = 1_000_000) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(servers.short_folder("start")))
        mariadb = stack.enter_context(servers.mariadb_server())
        urls = {"sqlite": f"sqlite:///{folder}/start.sqlite", "mariadb": f"{mariadb}/start"}
        for name, url in urls.items():
            (folder / name).mkdir()
            redis_url = stack.enter_context(servers.redis_server(folder / name))
            app = create_app(Settings.load(environment(folder / name, redis_url, url)))
            browser = fill(app, cities, entries)
            lines = {
                "start page, cached totals": measure(browser, lambda: None),
                "start page after a change": measure(browser, lambda app=app: change_register(app)),
                "empty view": measure(browser, lambda: None, "/healthz"),
                "search, found": measure(browser, lambda: None, "/search?q=%E5%AE%81"),
                "search, nothing": measure(browser, lambda: None, "/search?q=nowhere"),
            }
            for line, figures in lines.items():
                sys.stdout.write(f"{name:8} {line:28} {figures}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
