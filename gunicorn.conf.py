"""The configuration of the web processes. Read again on HUP, together with the settings."""

# Patch sockets and locks before anything else imports them.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from contextlib import suppress  # noqa: E402
from functools import partial  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from gunicorn.errors import HaltServer  # noqa: E402
from gunicorn.sock import create_sockets  # noqa: E402
from gunicorn.workers.ggevent import GeventWorker  # noqa: E402


def load_settings() -> Any:
    """Import the settings, and forget what was imported: workers inherit the modules of the master
    process, and would use the old code after HUP."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    forget_application()
    try:
        return import_module("app.config").Settings.load()
    finally:
        forget_application()


def forget_application() -> None:
    """Forget the modules of the application, so that the next import reads them again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
        del sys.modules[name]


def address(settings: Any) -> str:
    """Host and port; IPv6 addresses contain colons and need brackets."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


try:
    settings = load_settings()
except ValueError as error:
    sys.exit(f"Gazetteer cannot start. {error}")
bind = address(settings)
workers = settings.web_workers

# A connection costs a few kilobytes, so slow uploads and downloads leave room for others. They hold
# no database connection: each worker has 30 of those (app/database/limits.py), and a request that
# waits for one for 2 s is answered with 503.
worker_connections = 1000

# Each worker imports the code, so that HUP loads a new release, and no two workers share a
# connection that was opened before the fork.
preload_app = False

# A worker that sends no heartbeat for 30 s is stuck in code that never yields, and is replaced.
timeout = 30
# On HUP and TERM a worker accepts no more connections and has 30 s to finish its requests; longer
# downloads are aborted. supervisor.conf waits a little longer than this.
graceful_timeout = 30
# Longer than nginx's keepalive_timeout to us (2 s): the client must be the one that closes an idle
# connection, or a POST may be sent into a connection that we are closing.
keepalive = 5

# Workers are not restarted after a number of requests: that would abort long uploads, and their
# memory does not grow.
max_requests = 0

# Workers touch this file each second as a heartbeat; in memory, to avoid waiting for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The maximum that gunicorn allows. A URL with two names of 255 Chinese characters has 4,600 bytes.
limit_request_line = 8190

# Only the setting TRUSTED_PROXIES decides which proxy headers count. gunicorn itself ignores all
# headers about scheme, address and path.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# The application logs the requests; gunicorn only logs events of its processes.
accesslog = None
errorlog = "-"

# supervisorctl and signals are used instead.
control_socket_disable = True

pid_file = settings.instance / "gunicorn.pid"


class Worker(GeventWorker):
    """A gevent worker that outlives its master process by some seconds, in which supervisor starts
    another one. gunicorn's would exit at once, and cut its requests."""

    orphaned = 0.0

    def notify(self) -> None:
        """Called every second."""
        if self.ppid == os.getppid():
            super().notify()
            return
        self.orphaned = self.orphaned or time.monotonic()
        if time.monotonic() > self.orphaned + 10:
            self.alive = False  # accept no more connections, and finish the requests


worker_class = Worker


def on_starting(server: Any) -> None:
    """Listen on a port that a new master process can share with the workers of one that was
    killed. A master that has lost its supervisor is asked to finish. A port that others use is left
    to gunicorn, which says so and exits, and so is the socket of `flask check-release`."""
    if server.cfg.bind != [bind]:
        return
    if not can_listen(settings):
        if not pid_file.exists():
            return
        if master := running_master():
            server.log.warning("Master %s has no supervisor; replacing it", master)
            os.kill(master, signal.SIGTERM)
    server.cfg.set("reuse_port", True)
    server.LISTENERS = create_sockets(server.cfg, server.log)
    server.cfg.set("reuse_port", False)  # or each worker would listen before it can answer


def can_listen(settings: Any) -> bool:
    """True if nobody listens on this address and we may."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
        return True


def running_master() -> int:
    """The process id of another master of this instance folder; 0 if there is none."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if b"gunicorn.conf.py" in command and pid != os.getpid() else 0


def when_ready(server: Any) -> None:
    """Write the master's process id for `kill -HUP`. gunicorn's own pid file is not used: after a
    power cut it prevents the next start if another process has that id. A release that is checked
    on another socket (`flask check-release`) does not write it."""
    if server.cfg.bind != [bind]:
        return
    pid_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid_file.write_text(f"{server.pid}\n")
    server.handle_hup = partial(handle_hup, server)


def handle_hup(server: Any) -> None:
    """Called on HUP. Settings that are invalid, or an address on which we cannot listen, would end
    gunicorn: then everything stays as it is."""
    try:
        new = load_settings()
    except Exception as error:
        server.log.error("Not reloaded. %s", error)
        return
    if [address(new)] != server.cfg.bind and not can_listen(new):
        server.log.error("Not reloaded. It is not possible to listen on %s", address(new))
        return
    type(server).handle_hup(server)


def on_exit(server: Any) -> None:
    """Remove our pid file, but not that of another process."""
    if pid_file.exists() and pid_file.read_text() == f"{server.pid}\n":
        pid_file.unlink()


class Exchange:
    """Replaces the workers one at a time after HUP: an old one is asked to finish when a new one
    accepts connections. gunicorn itself starts all new ones and stops the old ones at once, and
    nobody accepts connections while the new ones load the code.

    Until it is done, it takes the place of three methods of the master process."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.old = sorted(server.WORKERS.values(), key=lambda worker: worker.age)
        # reload() takes no signals until all workers have a higher number than the last one.
        for number, worker in enumerate(self.old, 1):
            worker.age = server.worker_age + number / (len(self.old) + 1)
        self.restore("spawn_worker", "manage_workers", "reap_workers")  # of an earlier exchange
        self.spawn_worker, self.reap_workers = server.spawn_worker, server.reap_workers
        server.spawn_worker = lambda: None  # reload() would start all workers
        server.manage_workers = self.continue_
        server.reap_workers = self.reap

    def restore(self, *methods: str) -> None:
        """Give the master process its own methods back."""
        for name in methods:
            vars(self.server).pop(name, None)

    def continue_(self) -> None:
        """Do what can be done now; the master process calls this at least once a second."""
        server = self.server
        workers = list(server.WORKERS.values())
        new = [worker for worker in workers if worker not in self.old]
        loading = [worker for worker in workers if not has_started(worker)]
        accepting = [worker for worker in workers if accepts(worker)]
        surplus = max(0, len(accepting) - server.num_workers)
        for worker in [worker for worker in self.old if worker in accepting][:surplus]:
            worker.is_finishing = True
            server.kill_worker(worker.pid, signal.SIGTERM)
        if new == workers and not loading and len(new) >= server.num_workers:
            server.log.info("All workers were replaced")
            self.restore("spawn_worker", "manage_workers", "reap_workers")
        elif not loading and len(new) < server.num_workers:
            self.spawn_worker()

    def reap(self) -> None:
        """Remove workers that have exited. If one exits while it loads the code, the others go on;
        gunicorn itself would stop them all."""
        server = self.server
        loading = [worker for worker in server.WORKERS.values() if not has_started(worker)]
        with suppress(HaltServer):
            self.reap_workers()
        if all(worker in server.WORKERS.values() for worker in loading):
            return
        server.num_workers = sum(accepts(worker) for worker in server.WORKERS.values())
        if not server.num_workers:
            raise HaltServer("No worker can start.", server.WORKER_BOOT_ERROR)
        server.log.error("Reload stopped: a new worker cannot start. The others go on.")
        self.restore("spawn_worker", "manage_workers")


def has_started(worker: Any) -> bool:
    """True if a worker has loaded the code. It then sets the time of its file to the monotonic
    clock; that of a new file is the time of day."""
    return bool(worker.tmp.last_update() <= time.monotonic())


def accepts(worker: Any) -> bool:
    """True if a worker accepts connections."""
    return has_started(worker) and not getattr(worker, "is_finishing", False)


def on_reload(server: Any) -> None:
    """Called on HUP, after this file was read again and before any worker is started."""
    server.handle_hup = partial(handle_hup, server)
    Exchange(server)
