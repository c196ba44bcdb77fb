"""`python -m tests.benchmarks.backups`: 170,000 cities with as many history entries and 1 GiB of
files are backed up, verified, rehearsed and restored, on MariaDB and on SQLite, beside tar and the
database's own programs.

CITIES=1000 MIB=10 DATABASES=sqlite for less. Each line is one run: elapsed seconds, processor
seconds of the programs and of MariaDB, and MiB of the largest process. Nothing is asserted.
"""

import os
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app import create_app
from app.config import ROOT, Settings
from app.database.engine import db
from app.database.schema import create_database
from tests import servers
from tests.applications import migrate
from tests.benchmarks.machine import memory, processor_seconds, with_descendants
from tests.benchmarks.rows import add_entries, add_rows
from tests.benchmarks.sides import start
from tests.factories import add_person
from tests.files.helpers import store

CITIES = int(os.environ.get("CITIES", "170000"))
MIB = int(os.environ.get("MIB", "1024"))
DATABASES = os.environ.get("DATABASES", "mariadb,sqlite").split(",")
LOOK_SECONDS = 0.02
FLASK = shlex.join([sys.executable, "-m", "flask", "backup"])


@dataclass
class Place:
    """A filled installation, the address of an empty one beside it, and MariaDB's process."""

    folder: Path
    server: str
    database: int | None

    def env(self, name: str) -> dict[str, str]:
        """The settings of an installation."""
        folder = self.folder / name
        url = f"{self.server}/{name}" if self.server else f"sqlite:///{folder}/database.sqlite"
        return {
            "INSTANCE": str(folder),
            "REDIS_URL": f"unix://{self.folder}/redis.sock",
            "DATABASE_URL": url,
            "BACKUP_DIR": str(self.folder / "backups"),
            "SECRET_KEY": "b" * 64,
        }

    def fill(self) -> None:
        """Cities, their history and files whose bytes cannot be compressed."""
        settings = Settings.load(self.env("filled"))
        create_database(settings.database_url)
        app = create_app(settings)
        migrate(app)
        with app.app_context():
            person = add_person("Ada", "admin")
            add_rows(CITIES)
            add_entries(0, CITIES)
            for number in range(MIB):
                store(person, f"{number}.bin", random.randbytes(1 << 20))
            db.session.remove()
            db.engine.dispose()
        app.extensions["redis"].close()

    def commands(self) -> Iterator[tuple[str, str, str]]:
        """What is measured, the installation it is for, and the shell command."""
        tar = f"{self.folder}/files.tar"
        yield "create", "filled", f"{FLASK} create"
        pack = f"tar -cf {tar} -C {self.folder}/filled files"
        yield "tar and dump", "filled", f"{pack} && {self.dump}"
        yield "verify", "filled", f"{FLASK} verify"
        yield "rehearse", "filled", f"{FLASK} rehearse"
        yield "restore", "restored", f"{FLASK} restore"
        unpack = f"tar -xf {tar} -C {self.folder}/loaded"
        yield "tar -x and load", "loaded", f"{unpack} && {self.load}"

    @property
    def dump(self) -> str:
        if not self.server:
            return f"cp {self.folder}/filled/database.sqlite {self.folder}/dump"
        return f"mariadb-dump {self.options} --single-transaction filled > {self.folder}/dump"

    @property
    def load(self) -> str:
        if not self.server:
            return f"cp {self.folder}/dump {self.folder}/loaded/database.sqlite"
        create = f"mariadb {self.options} -e 'CREATE DATABASE loaded'"
        return f"{create} && mariadb {self.options} loaded < {self.folder}/dump"

    @property
    def options(self) -> str:
        return f"--no-defaults --host=127.0.0.1 --user=root --port={urlsplit(self.server).port}"


@contextmanager
def filled_place(name: str) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.short_folder("backups"))
        stack.enter_context(servers.redis_server(folder))
        server, database = "", None
        if name == "mariadb":
            running = servers.mariadb_server("--innodb-flush-log-at-trx-commit=1")
            server, database = start(stack, running)
        for each in ("filled", "restored", "loaded"):
            (folder / each).mkdir()
        place = Place(folder, server, database)
        place.fill()
        yield place


def measure(place: Place, name: str, command: str) -> str:
    """The cells of a command: what it took."""
    server = [place.database] if place.database else []
    before, largest, own = processor_seconds(server), 0, 0.0
    begun = time.perf_counter()
    process = subprocess.Popen(
        ["sh", "-c", command], cwd=ROOT, env={**os.environ, **place.env(name)},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None:
        pids = with_descendants(process.pid)
        own = max(own, processor_seconds(pids))
        largest = max(largest, memory(pids))
        time.sleep(LOOK_SECONDS)
    elapsed = time.perf_counter() - begun
    failed = f" **status {process.returncode}**" if process.returncode else ""
    spent = processor_seconds(server) - before
    return f"{elapsed:.1f}{failed} | {own:.1f} + {spent:.1f} | {largest}"


def main() -> None:
    sys.stdout.write(f"{CITIES:,} cities, {MIB:,} MiB of files\n")
    sys.stdout.write("| | seconds | processor: programs + MariaDB | MiB |\n|---|--:|--:|--:|\n")
    for name in DATABASES:
        with filled_place(name) as place:
            for label, installation, command in place.commands():
                cells = measure(place, installation, command)
                sys.stdout.write(f"| {name}: {label} | {cells} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
