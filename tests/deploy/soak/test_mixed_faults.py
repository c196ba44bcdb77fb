"""Half an hour of mixed faults while people work: nothing that was acknowledged is lost or done
twice, and all works at the end. SOAK_MINUTES is how long both databases take together, SOAK_SEED
repeats a choice of faults."""

import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from app import create_app
from app.config import Settings
from tests import servers
from tests.applications import KEY, release
from tests.conftest import need
from tests.deploy.front import REAL_ADDRESS, nginx
from tests.deploy.soak import checks
from tests.deploy.soak.client import UNKNOWN
from tests.deploy.soak.faults import Fault, MariadbFaults, SqliteFaults, small_disk
from tests.deploy.soak.ledger import Answer, Ledger, Outcome
from tests.deploy.soak.writers import Writer
from tests.factories import PASSWORD

SECONDS = float(os.environ.get("SOAK_MINUTES", "30")) * 60 / 2
SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
WRITERS = 6
SETTINGS = {
    "SECRET_KEY": KEY,
    "TRUSTED_PROXIES": "1",
    "TRUSTED_HOSTS": "localhost",
    "NGINX_SENDS_FILES": "1",
}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 1200)]


@pytest.mark.parametrize("database", ["sqlite", "mariadb"])
def test_nothing_acknowledged_is_lost_while_faults_happen(database, tmp_path):
    need(servers.REDIS, "redis-server or valkey-server")
    need(servers.NGINX, "nginx")
    ledger = Ledger(tmp_path / "ledger")
    with ExitStack() as stack:
        folder = stack.enter_context(servers.short_folder("soak"))
        disk = stack.enter_context(small_disk(folder / "instance"))
        settings = SETTINGS if database == "sqlite" else {**SETTINGS, **start_mariadb(stack)}
        instance = stack.enter_context(servers.started(folder, **settings))
        stack.callback(shutil.copytree, instance.folder / "log", tmp_path / "log")
        front = stack.enter_context(nginx(instance, server_tokens=REAL_ADDRESS))
        writers = [Writer(front.base, ledger, n, SEED) for n in range(1, WRITERS + 2)]
        for writer in writers:
            instance.flask("create-user", writer.name, "--role", "editor", typed=PASSWORD)
            writer.begin()
        *writers, prober = writers
        kinds = SqliteFaults if database == "sqlite" else MariadbFaults
        faults = kinds(instance, front, prober, SEED, disk)
        stack.callback(faults.stop)
        watch = Watch(instance)
        with at_work(*(writer.run for writer in writers), watch.run):
            faults.run(time.monotonic() + SECONDS)
        problems = check(instance, ledger, [*writers, prober])
        print(report(database, faults.done, ledger, watch))  # noqa: T201
    assert not problems, "\n".join(problems[:50])


def start_mariadb(stack: ExitStack) -> dict[str, str]:
    """The settings for a MariaDB that loses nothing when it is killed."""
    need(servers.MARIADB, "mariadbd")
    url = stack.enter_context(servers.mariadb_server("--innodb-flush-log-at-trx-commit=1"))
    return {"DATABASE_URL": f"{url}/gazetteer"}


@contextmanager
def at_work(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run functions in threads until the block ends."""
    stopped = threading.Event()
    threads = [threading.Thread(target=work, args=[stopped]) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


class Watch:
    """The most memory and descriptors that a worker had, and the longest write-ahead log."""

    def __init__(self, instance: servers.Instance) -> None:
        self.instance = instance
        self.memory = self.descriptors = self.log = 0

    def run(self, stopped: threading.Event) -> None:
        while not stopped.wait(1):
            with suppress(OSError, ValueError):
                master = int((self.instance.folder / "gunicorn.pid").read_text())
                for pid in servers.children(master):
                    self.memory = max(self.memory, checks.memory(pid))
                    self.descriptors = max(self.descriptors, checks.descriptors(pid))
                size = (self.instance.folder / "gazetteer.sqlite-wal").stat().st_size
                self.log = max(self.log, size >> 20)


def check(instance: servers.Instance, ledger: Ledger, writers: list[Writer]) -> list[str]:
    """What is wrong in the end."""
    problems = list(checks.check_processes(instance))
    for writer in writers:
        writer.sign_in()
    files = instance.folder / "files"
    checks.make_old(files)
    purged = instance.flask("purge-files")
    if purged.returncode:
        problems.append(purged.stderr)
    app = create_app(Settings.load(instance.env))
    with app.app_context():
        problems += checks.check_ledger(ledger)
        problems += checks.check_cities()
        problems += checks.check_files(files)
        problems += checks.check_database()
    release(app)
    return [*ledger.faulty, *problems]


def report(database: str, faults: list[Fault], ledger: Ledger, watch: Watch) -> str:
    """Faults and the longest time until all worked again; responses; writes."""
    alone = [fault for fault in faults if len(fault.kinds) == 1]
    kinds = Counter(kind for fault in faults for kind in fault.kinds)
    lines = [
        f"\n{database}, {SECONDS / 60:.1f} minutes, SOAK_SEED={SEED}",
        "",
        "fault: times, longest until all works",
    ]
    for kind, times in sorted(kinds.items()):
        waits = [fault.answered - fault.over for fault in alone if fault.kinds == (kind,)]
        lines.append(f"  {kind:16}{times:4}{max(waits, default=0):8.1f} s")
    pairs = [fault.answered - fault.over for fault in faults if len(fault.kinds) > 1]
    lines.append(f"  {'two at once':16}{len(pairs):4}{max(pairs, default=0):8.1f} s")
    lines += ["", "responses: how many, how many errors while no fault was near"]
    far = [a for a in ledger.answers if a.status in UNKNOWN and not is_explained(a, faults)]
    unexplained = Counter(answer.status for answer in far)
    for status, count in sorted(Counter(answer.status for answer in ledger.answers).items()):
        lines.append(f"  {status or 'broken'!s:8}{count:7}{unexplained[status]:6}")
    lines += ["", "writes: " + ", ".join(Outcome)]
    outcomes = Counter((write.action, write.outcome) for write in ledger.writes)
    for action in sorted({action for action, _outcome in outcomes}):
        lines.append(f"  {action:16}" + "".join(f"{outcomes[action, o]:7}" for o in Outcome))
    lines.append(
        f"\nat most: a worker {watch.memory} MB, {watch.descriptors} descriptors; "
        f"write-ahead log {watch.log} MB; slowest answer "
        f"{max(a.answered - a.sent for a in ledger.answers):.1f} s"
    )
    return "\n".join(lines)


def is_explained(answer: Answer, faults: list[Fault]) -> bool:
    """True if a fault, or its consequences, came between question and answer."""
    return any(answer.sent < f.answered + 1 and answer.answered > f.began for f in faults)
