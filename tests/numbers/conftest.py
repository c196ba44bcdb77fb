"""A client of the Redis that the application uses, and real gunicorn workers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from redis import Redis

from tests import servers
from tests.conftest import environment


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    """A client of the application's Redis."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def gunicorn(tmp_path: Path, redis_url: str) -> Iterator[Callable[[int], str]]:
    """Start gunicorn with that many gevent workers: gunicorn(2) returns its address."""
    with ExitStack() as ends:

        def start(workers: int) -> str:
            address = f"127.0.0.1:{servers.free_port()}"
            command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", str(workers)]
            process = subprocess.Popen(
                [*command, "-b", address, "--no-control-socket", "app.wsgi:app"],
                env={**os.environ, **environment(tmp_path, redis_url), "ENV_FILE": "/dev/null"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            ends.callback(servers.stop, process)
            servers.wait_until(lambda: answers(address), "gunicorn answers")
            return f"http://{address}"

        yield start


def answers(address: str) -> bool:
    """True if a worker answers."""
    try:
        return requests.get(f"http://{address}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False
