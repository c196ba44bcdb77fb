"""`make run`: what a newcomer and a Ctrl-C meet."""

import os
import signal
import socket
import subprocess
import sys
import time

import requests

from app.config import ROOT
from tests import servers
from tests.browser.site import Site
from tests.factories import HTML, PASSWORD


def claim(everything: servers.Started) -> requests.Session:
    """Follow the printed link, as the first administrator does."""
    client = requests.Session()
    client.headers.update(HTML)
    token = Site(everything.base).token(client, everything.setup_path)
    fields = {"name": "first", "password": PASSWORD, "again": PASSWORD, "sample": "y"}
    answer = client.post(
        everything.base + everything.setup_path, data={**fields, "csrf_token": token}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    assert answer.url == f"{everything.base}/cities"
    return client


def run_flask(folder, *words, **settings):
    """A flask command that is expected to end by itself."""
    env = {**os.environ, "ENV_FILE": str(folder / "env"), "INSTANCE": str(folder / "instance")}
    return subprocess.run(
        [sys.executable, "-m", "flask", *words], cwd=ROOT, env={**env, **settings},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_first_start_is_claimed_by_link_and_second_keeps_the_session(folder):
    with servers.started(folder) as first:
        assert first.setup_path
        client = claim(first)
        assert "深圳市" in client.get(f"{first.base}/cities", timeout=10).text
        # Nobody else can claim it, and the link is in no log.
        assert requests.get(first.base + first.setup_path, timeout=10).status_code == 404
        log = (first.instance / "log" / "web.log").read_text()
        assert "/setup/..." in log
        assert first.setup_path not in log
        assert first.end() == 0
        assert first.left() == []
    begun = time.monotonic()
    with servers.started(folder, PORT=str(first.port)) as second:
        assert second.setup_path == ""
        page = client.get(f"{second.base}/account", timeout=10, allow_redirects=False)
        assert page.status_code == 200
        print(f"second start to first page: {time.monotonic() - begun:.2f} s")  # noqa: T201


def test_a_taken_port_is_told_in_one_sentence(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_flask(folder, "start", PORT=str(port))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is taken" in done.stderr


def test_an_address_of_another_machine_is_told_in_one_sentence(folder):
    done = run_flask(folder, "start", HOST="192.0.2.1")
    assert done.returncode == 2
    assert done.stderr == "Error: HOST=192.0.2.1 is no address of this machine.\n"


def test_a_database_that_cannot_be_reached_is_told_without_its_password(folder):
    url = f"mysql://u:secret@127.0.0.1:{servers.free_port()}/x"
    port = str(servers.free_port())
    done = run_flask(folder, "start", DATABASE_URL=url, SECRET_KEY="k" * 32, PORT=port)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "The database cannot be used: Can't connect" in done.stderr
    assert "secret" not in done.stderr


def test_a_setting_that_cannot_work_is_told_in_one_sentence(folder):
    done = run_flask(folder, "start", PORT="eighty")
    assert done.returncode == 2
    assert done.stderr == "Error: PORT must be a whole number from 1 to 65535, not 'eighty'.\n"


def test_listening_for_others_is_warned_of_and_a_closed_terminal_leaves_nothing(folder):
    with servers.started(folder, HOST="0.0.0.0") as everything:  # noqa: S104
        assert "Warning: it listens on 0.0.0.0 without TLS" in everything.said
        assert everything.end(signal.SIGHUP) == 0
        assert everything.left() == []


def test_a_folder_with_a_long_path_and_blanks_gets_its_sockets_elsewhere(folder):
    deep = folder / ("a folder with blanks in it " * 3).strip() / ("b" * 60)
    deep.mkdir(parents=True)
    with servers.started(deep) as everything:
        assert "RUNNING" in everything.supervisorctl("status", "web")


def test_without_a_private_redis_the_program_ends_well(folder):
    (folder / "other").mkdir()
    with (
        servers.redis_server(folder / "other") as url,
        servers.started(folder, REDIS_URL=url, SECRET_KEY="k" * 64) as everything,
    ):
        servers.wait_until(
            lambda: "EXITED" in everything.supervisorctl("status", "redis"), "redis has ended"
        )
        assert "RUNNING" in everything.supervisorctl("status", "web")
        assert everything.end(signal.SIGTERM) == 0
        assert everything.left() == []


def test_programs_that_cannot_be_started_are_named(folder):
    (folder / "instance" / "redis" / "appendonlydir" / "x").mkdir(parents=True)
    (folder / "instance" / "redis" / "redis.sock").mkdir()  # a folder where the socket should be
    everything = servers.Started(folder)
    try:
        servers.wait_until(lambda: "Not ready:" in everything.said, "it says so", 60)
    finally:
        everything.end()
    assert "redis cannot be started" in everything.said
    assert everything.left() == []
