"""What is compared: ours, the plain Flask application (`peer`) and bare Flask, each with two gevent
workers of the same configuration, over the same MariaDB, Redis and rows."""

import os
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests
from sqlalchemy import func, insert, select, text

from app import create_app
from app.auth import services as auth
from app.cities.models import City
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from tests import servers
from tests.applications import migrate
from tests.benchmarks.clients import Asked
from tests.benchmarks.peer import models as peer_models
from tests.benchmarks.peer.application import add_user
from tests.benchmarks.peer.application import create_app as create_peer
from tests.benchmarks.rows import add_rows
from tests.factories import OPERATOR, PASSWORD, csrf_token
from tests.html import Page
from tests.site import Site

SMALL, LARGE, HUGE = 4096, 100 << 20, 256 << 20
NAMES = ("ours", "peer", "bare")
# As a setting of ours; the default is less than HUGE.
UPLOAD_MAX_MB = 300
CITY_FORM = "csrf_token={token}&province=%E5%B9%BF%E4%B8%9C&city={{}}&number=1"

T = TypeVar("T")


@dataclass
class Side:
    """A running application: the process id of its master, the folder of its uploads, the cookies
    of somebody who reads and of somebody who writes, whose forms have the token. `files` are the
    addresses of downloads by their size."""

    base: str
    web: int
    folder: Path
    reader: str = ""
    writer: str = ""
    token: str = ""
    files: dict[int, str] = field(default_factory=dict)

    def get(self, *paths: str) -> Asked:
        return Asked(self.base, paths, self.reader)

    def create(self, path: str, more: str = "") -> Asked:
        """Add cities with other names each time."""
        form = CITY_FORM.format(token=self.token) + more
        return Asked(self.base, [path], self.writer, form, expected=303)


@dataclass
class Sides:
    """All three, the process id of MariaDB, and a folder with a file of HUGE bytes."""

    ours: Side
    peer: Side
    bare: Side
    database: int
    folder: Path
    rows: int

    @property
    def huge(self) -> Path:
        return self.folder / "huge.txt"


def start(stack: ExitStack, server: AbstractContextManager[T]) -> tuple[T, int]:
    """Start a server; what it yields, and its process id."""
    before = servers.children(os.getpid())
    yielded = stack.enter_context(server)
    [pid] = servers.children(os.getpid()) - before
    return yielded, pid


@dataclass
class Services:
    """The folder of everything, the address and process id of MariaDB, and the address of Redis."""

    folder: Path
    mariadb: str
    database: int
    redis: str

    @classmethod
    def start(cls, stack: ExitStack) -> "Services":
        folder = stack.enter_context(servers.short_folder("bench"))
        # As MariaDB does by default: each commit is synced, which costs nothing in memory.
        mariadb = servers.mariadb_server("--innodb-flush-log-at-trx-commit=1")
        return cls(
            folder, *start(stack, mariadb), stack.enter_context(servers.redis_server(folder))
        )

    def env(self, name: str) -> dict[str, str]:
        """The settings of one application."""
        return {
            "REDIS_URL": self.redis,
            "SECRET_KEY": "b" * 64,
            "UPLOAD_MAX_MB": str(UPLOAD_MAX_MB),
            "TMPDIR": str(self.folder),
            "INSTANCE": str(self.folder / name),
            "FILES_DIR": str(self.folder / name / "files"),
            "DATABASE_URL": f"{self.mariadb}/{name}",
        }


@contextmanager
def running_ours(rows: int) -> Iterator[tuple[Side, Path]]:
    """Start ours alone, filled; yields also a folder for what clients need."""
    with ExitStack() as stack:
        services = Services.start(stack)
        prepare_ours(services.env("ours"), rows)
        ours = serve(stack, services.env("ours"), "tests.benchmarks.wsgi:app")
        sign_in(ours)
        yield ours, services.folder


@contextmanager
def running_sides(rows: int) -> Iterator[Sides]:
    """Start everything, and fill it."""
    with ExitStack() as stack:
        services = Services.start(stack)
        folder, envs = services.folder, {name: services.env(name) for name in NAMES}
        prepare_ours(envs["ours"], rows)
        prepare_peer(envs["peer"])
        prepare_bare(Path(envs["bare"]["FILES_DIR"]))
        ours = serve(stack, envs["ours"], "tests.benchmarks.wsgi:app")
        # One line for each request, as ours writes by default.
        logged = ("--access-logfile", "-")
        peer = serve(stack, envs["peer"], "tests.benchmarks.peer.wsgi:app", "/healthz", logged)
        bare = serve(stack, envs["bare"], "tests.benchmarks.bare:app", "/empty")
        for side in (ours, peer):
            sign_in(side)
            add_files(side)
        bare.files = {size: f"/files/{size}.txt" for size in (SMALL, LARGE)}
        (folder / "huge.txt").write_bytes(some_text(HUGE))
        yield Sides(ours, peer, bare, services.database, folder, rows)


def serve(
    stack: ExitStack,
    env: dict[str, str],
    target: str,
    health: str = "/healthz",
    options: tuple[str, ...] = (),
) -> Side:
    folder = Path(env["INSTANCE"])
    log = folder.parent / f"{folder.name}.log"
    base, web = start(stack, servers.gunicorn_server(env, log, target, health, options=options))
    return Side(base, web, Path(env["FILES_DIR"]))


def prepare_ours(env: dict[str, str], rows: int) -> None:
    """Create our tables, an editor and cities."""
    settings = Settings.load(env)
    create_database(settings.database_url)
    app = create_app(settings)
    migrate(app)
    with app.app_context():
        auth.create_person(OPERATOR, "editor", PASSWORD, "editor")
        add_rows(rows)
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE TABLE city"))
        db.session.remove()
        db.engine.dispose()


def prepare_peer(env: dict[str, str]) -> None:
    """Create the tables of the other application, with an editor and the same cities."""
    create_database(env["DATABASE_URL"].replace("mysql:", "mysql+pymysql:"))
    app = create_peer(env)
    theirs, table = peer_models.db, peer_models.City.__table__
    with app.app_context():
        theirs.create_all()
        add_user("editor", PASSWORD)
        ours = City.__table__.to_metadata(theirs.MetaData(), schema="ours")
        names = ["id", "province", "name", "users", "changed_at"]
        rows = select(
            ours.c.id, ours.c.provincename, ours.c.cityname, ours.c.usernumber, func.now()
        )
        theirs.session.execute(insert(table).from_select(names, rows))
        theirs.session.commit()
        theirs.session.execute(text("ANALYZE TABLE city"))
        theirs.session.remove()
        theirs.engine.dispose()


def prepare_bare(folder: Path) -> None:
    folder.mkdir(parents=True)
    for size in (SMALL, LARGE):
        (folder / f"{size}.txt").write_bytes(some_text(size))


def sign_in(side: Side) -> None:
    """Two sessions of the same person: one reads, the other one writes."""
    for purpose in ("reader", "writer"):
        client = Site(side.base).sign_in("editor")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
        setattr(side, purpose, cookies)
    side.token = csrf_token(client.get(f"{side.base}/cities/new", timeout=60).text)


def add_files(side: Side) -> None:
    """Upload what will be downloaded."""
    for size in (SMALL, LARGE):
        response = requests.post(
            f"{side.base}/upload",
            data={"csrf_token": side.token},
            files={"file": (f"{size}.txt", some_text(size))},
            headers={"Cookie": side.writer, "Accept": "text/html"},
            allow_redirects=False,
            timeout=120,
        )
        assert response.status_code == 303, response.text
        cookies = {"Cookie": side.writer, "Accept": "text/html"}
        page = requests.get(f"{side.base}/files", headers=cookies, timeout=60).text
        side.files[size] = find_download(page, f"{size}.txt")


def find_download(page: str, name: str) -> str:
    """The address of a download on a list of files."""
    for link in Page(page).all("a[href^='/files/']"):
        if name in link.text:
            return str(link["href"]).removesuffix("/details")
    raise AssertionError(f"{name} is not on the page")


def some_text(size: int) -> bytes:
    """Random letters; after a megabyte they are repeated."""
    block = bytes(random.Random(1).choices(b"abcdefghijklmnopqrstuvwxyz \n", k=min(size, 1 << 20)))
    return (block * (size // len(block) + 1))[:size]
