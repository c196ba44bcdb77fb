"""Faults, chosen at random, and how long it takes until people can work again."""

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql

from app.config import ROOT
from tests import servers
from tests.deploy.front import Front
from tests.deploy.soak.client import Missed
from tests.deploy.soak.writers import Writer
from tests.deploy.test_supervisor import ready, workers

DISK = "4g"
PAIRS = 0.25  # the share of faults that happen together with another one
# A transaction that has begun to read is only a lock if it reads a row.
ALL_ROWS = "SELECT id FROM city"


@dataclass(frozen=True)
class Fault:
    """One fault, or two at once: when it began, when it was over, and when all worked again."""

    kinds: tuple[str, ...]
    began: float
    over: float
    answered: float


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Make the folder a disk of its own, which Faults.fill_disk() fills. Yields False if we may
    not."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder]
    mounted = (
        os.getuid() == 0 and not subprocess.run(words, check=False, capture_output=True).returncode
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


class Faults:
    """Those of every installation. The prober is a writer who says when all works again."""

    def __init__(
        self, instance: servers.Instance, front: Front, prober: Writer, seed: str, disk: bool
    ) -> None:
        self.instance, self.front, self.prober = instance, front, prober
        self.random = random.Random(seed)
        self.done: list[Fault] = []
        # These change how a second one ends, so they come alone.
        self.alone = [self.reload, self.prepare, *([self.fill_disk] if disk else [])]
        self.mixed: list[Callable[[], None]] = [
            self.kill_worker,
            self.kill_master,
            self.kill_clock,
            self.kill_redis,
            self.pause_redis,
            self.hup,
            self.break_uploads,
            self.send_garbage,
        ]

    def run(self, deadline: float) -> None:
        """Until the deadline, each kind at least once in every round."""
        kinds: list[Callable[[], None]] = []
        while time.monotonic() < deadline:
            time.sleep(self.random.uniform(0.5, 4))
            if not kinds:
                kinds = [*self.alone, *self.mixed]
                self.random.shuffle(kinds)
            chosen = [kinds.pop()]
            if chosen[0] in self.mixed and self.random.random() < PAIRS:
                chosen.append(self.random.choice([k for k in self.mixed if k != chosen[0]]))
            began = time.monotonic()
            with ThreadPoolExecutor(2) as pool:
                for result in [pool.submit(kind) for kind in chosen]:
                    result.result()
            over = time.monotonic()
            servers.wait_until(self.works, f"all works after {chosen}")
            names = tuple(sorted(kind.__name__ for kind in chosen))
            self.done.append(Fault(names, began, over, time.monotonic()))

    def works(self) -> bool:
        """True if the application is ready and a member can change something."""
        try:
            if not self.prober.signed_in:
                self.prober.sign_in()
            self.prober.create_city()
        except Missed:
            return False
        return ready(self.instance)

    def seconds(self, least: float = 0.3, most: float = 3) -> float:
        return self.random.uniform(least, most)

    def kill(self, pid: int | str, number: int = signal.SIGKILL) -> None:
        """Send a signal, unless the process has ended."""
        if int(pid) > 1:
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def pid(self, program: str) -> str:
        """The process id of a program of supervisor; 0 while it does not run."""
        text = self.instance.supervisorctl("pid", program).strip()
        return text if text.isdecimal() else "0"

    def pause(self, pid: int | str) -> None:
        """Stop a process for a while."""
        self.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(self.seconds())
        finally:
            self.kill(pid, signal.SIGCONT)

    def kill_worker(self) -> None:
        self.kill(self.random.choice(sorted(workers(self.instance)) or [0]))

    def kill_master(self) -> None:
        self.kill(self.pid("web"))

    def kill_clock(self) -> None:
        self.kill(self.pid("clock"))

    def kill_redis(self) -> None:
        self.kill(self.pid("redis"))

    def pause_redis(self) -> None:
        self.pause(self.pid("redis"))

    def hup(self) -> None:
        self.instance.supervisorctl("signal", "HUP", "web")

    def reload(self) -> None:
        self.command("reload")

    def prepare(self) -> None:
        self.command("prepare")

    def command(self, name: str) -> None:
        """Run a flask command, which must succeed."""
        done = self.instance.flask(name)
        if done.returncode:
            self.prober.ledger.fault(f"flask {name}: {done.returncode}: {done.stdout}{done.stderr}")

    def stop(self) -> None:
        """Stop what the faults have started."""

    def fill_disk(self) -> None:
        """Leave 200 kB of the disk."""
        folder = self.instance.folder
        usage = os.statvfs(folder)
        used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
        try:
            self.resize(folder, f"{used // 1024 + 200}k")
            time.sleep(self.seconds(1))
        finally:
            self.resize(folder, DISK)

    def resize(self, folder: Path, size: str) -> None:
        # Refused if more is used by now.
        subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=False)

    def break_uploads(self) -> None:
        """Clients that end in the middle of a file."""
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="broken.txt"\r\n\r\n'
        head = (
            f"POST /upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.prober.token}"
            "\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
        )
        for _ in range(8):
            with (
                suppress(OSError),
                socket.create_connection(("127.0.0.1", self.front.port)) as client,
            ):
                client.sendall(head.encode() + part + b"a" * self.random.randrange(2_000_000))

    def send_garbage(self) -> None:
        """Strangers: see strangers.py."""
        words = [sys.executable, "-m", "tests.deploy.strangers", str(self.front.port), "3", "6"]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)


class SqliteFaults(Faults):
    """Other programs that use the file."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.mixed += [self.lock_file, self.read_long]

    def connect(self) -> "closing[sqlite3.Connection]":
        path = self.instance.folder / "gazetteer.sqlite"
        return closing(sqlite3.connect(path, timeout=30, isolation_level=None))

    def lock_file(self) -> None:
        """Nobody else can write for two seconds."""
        with self.connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(2)
            connection.execute("ROLLBACK")

    def read_long(self) -> None:
        """A reader holds up the checkpoint, which follows."""
        with self.connect() as connection:
            connection.execute("BEGIN")
            connection.execute(ALL_ROWS).fetchall()
            time.sleep(self.seconds())
            connection.execute("ROLLBACK")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class MariadbFaults(Faults):
    """The server is paused, killed and started again, or locked."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.mixed += [self.pause_database, self.kill_database, self.lock_rows, self.lock_table]
        url = self.instance.settings["DATABASE_URL"]
        self.port = int(url.rpartition(":")[2].partition("/")[0])
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@pid_file")
            self.database = int(Path(cursor.fetchone()[0]).read_text())
        self.restarted: list[subprocess.Popen[bytes]] = []

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database="gazetteer", connect_timeout=9
        )

    def pause_database(self) -> None:
        self.pause(self.database)

    def kill_database(self) -> None:
        """Kill it, and start it again as an operator's systemd does."""
        process = Path(f"/proc/{self.database}/cmdline")
        words = process.read_text().split("\0")[:-1]
        self.kill(self.database)
        servers.wait_until(lambda: not process.exists() or not process.read_text(), "it has ended")
        out = subprocess.DEVNULL
        self.restarted.append(subprocess.Popen(words, stdout=out, stderr=out))
        self.database = self.restarted[-1].pid

    def lock_rows(self) -> None:
        self.lock(f"{ALL_ROWS} FOR UPDATE")

    def lock_table(self) -> None:
        self.lock("LOCK TABLES city WRITE")

    def lock(self, statement: str) -> None:
        """Hold a lock for two seconds, unless the server is killed."""
        with suppress(pymysql.MySQLError), self.connect() as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET innodb_lock_wait_timeout = 10, lock_wait_timeout = 10")
                cursor.execute(statement)
            time.sleep(2)

    def stop(self) -> None:
        for process in self.restarted:
            servers.stop(process)
