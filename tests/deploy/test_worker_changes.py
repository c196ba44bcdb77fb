"""Reloading the page "Session" in one browser reaches every worker, with nginx in front or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import create_app
from app.auth import services as auth
from app.config import Settings
from app.database.engine import db
from tests import servers
from tests.applications import environment, migrate
from tests.deploy.front import nginx
from tests.factories import OPERATOR, PASSWORD
from tests.html import Page
from tests.site import Site

RELOADS = 20


@dataclass
class Workers:
    """Two web processes, and what nginx has to know of them."""

    base: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])


@contextmanager
def two_workers() -> Iterator[Workers]:
    with servers.short_folder("workers") as folder, servers.redis_server(folder) as redis_url:
        env = {**environment(folder, redis_url), "TRUSTED_PROXIES": "0"}
        (folder / "instance").mkdir()
        app = create_app(Settings.load(env))
        migrate(app)
        with app.app_context():
            auth.create_person(OPERATOR, "viewer", PASSWORD, "viewer")
            db.engine.dispose()
        with servers.gunicorn_server(env, folder / "web.log") as base:
            yield Workers(base, folder)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with two_workers() as workers:
        yield workers


def reload(site: Site) -> tuple[list[str], set[str]]:
    """The worker of each of RELOADS reloads in one browser, and what it said about the
    connection."""
    client, found, connections = site.clients["viewer"], [], set()
    for _reload in range(RELOADS):
        response = client.get(f"{site.base}/session", timeout=60)
        connections.add(response.headers.get("Connection", "keep-alive"))
        found.append(Page(response).texts(".facts dd")[0])
    return found, connections


def test_reloads_of_one_browser_reach_both_workers(workers):
    site = Site(workers.base)
    site.sign_in("viewer")
    found, connections = reload(site)
    assert connections == {"close"}
    assert len(set(found)) == 2, found


def test_other_pages_keep_their_connection(workers):
    site = Site(workers.base)
    response = site.sign_in("viewer").get(f"{workers.base}/account", timeout=60)
    assert response.headers["Connection"] == "keep-alive"


def test_behind_nginx_the_connection_of_the_browser_stays_and_the_worker_changes(workers):
    with nginx(workers) as front:
        site = Site(front.base)
        site.sign_in("viewer")
        found, connections = reload(site)
    assert connections == {"keep-alive"}
    assert len(set(found)) == 2, found
