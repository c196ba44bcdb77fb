"""Real gunicorn workers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import servers
from tests.applications import environment


@pytest.fixture
def gunicorn(tmp_path: Path, redis_url: str) -> Iterator[Callable[[int], str]]:
    """Start gunicorn with that many workers: gunicorn(2) returns its address."""
    with ExitStack() as ends:

        def start(workers: int) -> str:
            settings = {**environment(tmp_path, redis_url), "WEB_WORKERS": str(workers)}
            return ends.enter_context(servers.gunicorn_server(settings, tmp_path / "web.log"))

        yield start
