"""Private servers for tests: each in its own folder, on a socket or a free port of loopback,
stopped after use. System services are neither used nor changed."""

import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pymysql
import requests
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.config import ROOT

REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
MARIADB = shutil.which("mariadbd")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CHROMIUM = shutil.which("chromium")
CURL = shutil.which("curl")
OPENSSL = shutil.which("openssl")


# Ports below those that Linux assigns to clients. Each test process starts at a different one, so
# that a free port is still free when the server listens on it.
PORTS = range(20_000, 32_000)
first_port = os.getpid() * 331 % len(PORTS)
ports = itertools.cycle([*PORTS[first_port:], *PORTS[:first_port]])
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 << 30


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    return next(port for port in ports if not is_open(port))


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Poll until `ready` returns True. The time-out is long enough for a busy machine."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {seconds} s")
        time.sleep(0.02)


T = TypeVar("T")


def within(seconds: float, ask: Callable[[], T]) -> T:
    """The result of `ask`, which must take less than this time in one of three attempts: a busy
    machine may delay one of them."""
    for _attempt in range(3):
        start = time.monotonic()
        result = ask()
        if time.monotonic() - start < seconds:
            return result
    raise AssertionError(f"it took longer than {seconds} s")


def stop(
    process: subprocess.Popen[bytes], seconds: float = 60, number: int = signal.SIGTERM
) -> None:
    """Stop a server that we started, and wait for it."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def temporary_root() -> Path:
    """The folder for temporary folders: in memory if there is space, because tests would otherwise
    mostly wait for the disk. In a container /dev/shm often has only 64 MB."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        return MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def short_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix=f"gz-{prefix}-", dir=temporary_root()) as name:
        yield Path(name)


def answers(base: str, path: str = "/healthz") -> bool:
    """True if the server answers with success."""
    try:
        return requests.get(base + path, timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def gunicorn_server(
    settings: dict[str, str],
    log: Path,
    target: str = "app.wsgi:app",
    health: str = "/healthz",
    unix: Path | None = None,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """The web processes with the project's configuration; yields their URL. With `unix` they
    listen on that socket instead."""
    env = {"ENV_FILE": os.devnull, "PORT": str(free_port()), **settings}
    base = f"http://127.0.0.1:{env['PORT']}"
    options = [*options, *(["-b", f"unix:{unix}"] if unix else [])]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", *options, target],
            cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_until(
            lambda: (
                process.poll() is not None or (unix.exists() if unix else answers(base, health))
            ),
            "gunicorn answers",
        )
        assert process.poll() is None, log.read_text()
        yield base
    finally:
        stop(process, number=signal.SIGQUIT)  # does not wait for idle connections


def children(pid: int) -> set[int]:
    """The process ids of the children of a process; none if it has ended."""
    try:
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return set()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis on a unix socket; yields its URL."""
    assert REDIS, "no redis-server or valkey-server on this machine"
    path = folder / "redis.sock"
    process = subprocess.Popen(
        [REDIS, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
         "--save", "", "--dir", str(folder), "--maxmemory", "1gb"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = Redis(unix_socket_path=str(path))

    def answers() -> bool:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False

    try:
        wait_until(answers, "Redis answers")
        yield f"unix://{path}"
    finally:
        client.close()
        stop(process)


class Relay:
    """Passes connections on to a server, until it is cut and after it is mended: then the server
    is away, as seen from its clients."""

    def __init__(self, *target: str | int) -> None:
        self.target = target  # host and port, or the path of a unix socket
        self.port = free_port()
        self.open: list[socket.socket] = []
        self.mend()

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.open = [listener]
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = self.connect()
                self.open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def connect(self) -> socket.socket:
        if len(self.target) == 2:
            return socket.create_connection(self.target)  # type: ignore[arg-type]
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target[0])
        return server

    def pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Refuse connections, and end those that there are."""
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def make_certificate(folder: Path, name: str) -> list[Path]:
    """Create a self-signed certificate; returns the paths of the certificate and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return [certificate, key]


@contextmanager
def mariadb_server(*options: str) -> Iterator[str]:
    """A MariaDB with an empty data folder; yields its URL without a database."""
    assert MARIADB, "no mariadbd on this machine"
    with short_folder("mariadb") as folder:
        # Root has to say so explicitly, and the account mysql may not exist on this machine.
        account = ["--user=root"] if os.getuid() == 0 else []
        data, port = folder / "data", free_port()
        # A server that starts deletes the temporary tables of others in a shared folder.
        folders = [*account, f"--datadir={data}", f"--tmpdir={folder}"]
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *folders,
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        process = subprocess.Popen(
            [MARIADB, "--no-defaults", *folders, f"--port={port}",
             f"--socket={folder}/db.sock", f"--pid-file={folder}/db.pid",
             "--bind-address=127.0.0.1", "--skip-log-bin", "--max-connections=300",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M",
             *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def answers() -> bool:
            try:
                pymysql.connect(host="127.0.0.1", port=port, user="root").close()
            except pymysql.OperationalError:
                return False
            return True

        try:
            wait_until(answers, "MariaDB answers")
            yield f"mysql://root@127.0.0.1:{port}"
        finally:
            stop(process)


class Instance:
    """All programs, started as `make run` does, in a process group of their own as in a
    terminal."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder / "instance"
        self.port = int(settings.get("PORT") or free_port())
        self.base = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        (folder / "env").touch()
        self.env = {
            **os.environ,
            "ENV_FILE": str(folder / "env"),
            "INSTANCE": str(self.folder),
            "PORT": str(self.port),
            **settings,
        }
        self.output_file = folder / f"output-{time.monotonic_ns()}"
        with self.output_file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "start"],
                cwd=ROOT, env=self.env, start_new_session=True, stdout=out, stderr=out,
            )  # fmt: skip

    @property
    def output(self) -> str:
        """What it has written to the terminal."""
        return self.output_file.read_text()

    def wait_until_ready(self) -> None:
        """Wait until it prints how to stop it, which it does last."""
        wait_until(
            lambda: "Press Ctrl-C to stop" in self.output or self.process.poll() is not None,
            "it is ready", 60,
        )  # fmt: skip
        assert self.process.poll() is None, self.output

    @property
    def setup_path(self) -> str:
        """The path of the printed set-up link; empty if none was printed."""
        found = re.search(r"(/setup/\S+)", self.output)
        return found[1] if found else ""

    def supervisorctl(self, *words: str) -> str:
        """The output of a supervisorctl command."""
        config = self.folder / "supervisor.conf"
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-c", config, *words],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout + done.stderr

    def flask(self, *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a flask command in its environment, as an operator does."""
        return subprocess.run(
            [sys.executable, "-m", "flask", *words], cwd=ROOT, env=self.env, input=typed,
            check=False, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def send(self, number: int) -> None:
        """Send a signal to the process group, as a terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it and return its exit status."""
        if self.process.poll() is None:
            self.send(number)
        try:
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()

    def processes(self) -> list[str]:
        """The command lines of its running processes."""
        return processes_of(self.folder)


def processes_of(instance: Path) -> list[str]:
    """The command lines of the running processes with this instance folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            theirs = (path / "environ").read_bytes().split(b"\0")
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"INSTANCE={instance}".encode() in theirs and line:
            found.append(line)
    return found


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Instance]:
    """An instance that is ready; stopped afterwards."""
    instance = Instance(folder, **settings)
    try:
        instance.wait_until_ready()
        yield instance
    finally:
        instance.stop()


@contextmanager
def nginx_server(folder: Path, config: str) -> Iterator[None]:
    """An nginx with this configuration, in which relative paths start at `folder`: the project's
    nginx.conf with the ports and paths of a test."""
    assert NGINX, "no nginx on this machine"
    (folder / "nginx.conf").write_text(config)
    # Otherwise its workers cannot read a private folder of root.
    user = "user root; " if os.getuid() == 0 and "\nuser " not in config else ""
    with (folder / "nginx.out").open("wb") as out:
        process = subprocess.Popen(
            [NGINX, "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf",
             "-g", f"{user}daemon off;"],
            stderr=out,
        )  # fmt: skip
    try:
        ports = [int(port) for port in re.findall(r"listen 127\.0\.0\.1:(\d+)", config)]
        wait_until(lambda: all(map(is_open, ports)) or process.poll() is not None, "nginx listens")
        assert process.poll() is None, (folder / "nginx.out").read_text()
        yield
    finally:
        stop(process)


def is_open(port: int) -> bool:
    """True if a server listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
