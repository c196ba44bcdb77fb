"""Private servers for tests: each in a folder of its own, on a socket or a free port of loopback,
ended with the test run. No service of the machine is touched or used."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
MARIADB = shutil.which("mariadbd")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CHROMIUM = shutil.which("chromium")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Ask until it is so; fail with a sentence when it never is."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {seconds} s")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """End a server we started and wait for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def short_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder with a path short enough for a socket, in memory where there is such a
    place: emptying tables between tests is mostly waiting for the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    with tempfile.TemporaryDirectory(prefix=f"gz-{prefix}-", dir=memory) as name:
        yield Path(name)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis on a unix socket; yields its address."""
    assert REDIS, "no redis-server or valkey-server on this machine"
    path = folder / "redis.sock"
    process = subprocess.Popen(
        [REDIS, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
         "--save", "", "--dir", str(folder), "--maxmemory-policy", "noeviction"],
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


@contextmanager
def mariadb_server() -> Iterator[str]:
    """A MariaDB with an empty data folder; yields its address without a database."""
    assert MARIADB, "no mariadbd on this machine"
    with short_folder("mariadb") as folder:
        # It runs as root only when told so; its own account may not be on this machine.
        account = ["--user=root"] if os.getuid() == 0 else []
        data, port = folder / "data", free_port()
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *account, f"--datadir={data}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process = subprocess.Popen(
            [MARIADB, "--no-defaults", *account, f"--datadir={data}", f"--port={port}",
             f"--socket={folder}/db.sock", f"--pid-file={folder}/db.pid",
             "--bind-address=127.0.0.1", "--skip-log-bin", "--max-connections=300",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M"],
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
