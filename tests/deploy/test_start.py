"""`make run`: what a newcomer and a Ctrl-C meet."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from app.cli import run
from app.config import ROOT, Settings
from tests import servers
from tests.conftest import need
from tests.site import Site


def run_flask(folder, *words, **settings):
    """A flask command that is expected to end by itself."""
    (folder / "env").touch()
    env = {**os.environ, "ENV_FILE": str(folder / "env"), "INSTANCE": str(folder / "instance")}
    return subprocess.run(
        [sys.executable, "-m", "flask", *words], cwd=ROOT, env={**env, **settings},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_first_start_is_claimed_by_link_and_second_keeps_the_session(folder):
    with servers.started(folder) as first:
        assert first.setup_path
        client = Site(first.base).claim(first.setup_path, sample="y")
        assert "深圳市" in client.get(f"{first.base}/cities", timeout=60).text
        # Nobody else can claim it, and the link is in no log.
        assert requests.get(first.base + first.setup_path, timeout=60).status_code == 404
        log = (first.instance / "log" / "web.log").read_text()
        assert "path=/setup/-" in log
        assert first.setup_path not in log
        client.close()  # an idle connection would be waited for
        assert (first.instance / "gunicorn.pid").exists()
        assert first.end() == 0
        assert first.said.endswith("\nStopping ...\n")
        assert first.left() == []
        assert not (first.instance / "gunicorn.pid").exists()
    begun = time.monotonic()
    with servers.started(folder, PORT=str(first.port)) as second:
        assert second.setup_path == ""
        page = client.get(f"{second.base}/account", timeout=60, allow_redirects=False)
        assert page.status_code == 200
        print(f"second start to first page: {time.monotonic() - begun:.2f} s")  # noqa: T201
        client.close()
        assert second.end(signal.SIGTERM) == 0
        assert second.left() == []


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


def test_another_instance_folder_gets_a_supervisor_conf_that_works(folder):
    done = run_flask(folder, "prepare")
    config = folder / "instance" / "supervisor.conf"
    assert f"-c {config}\n" in done.stdout
    env = {**os.environ, "ENV_FILE": str(folder / "env"), "INSTANCE": str(config.parent)}
    env["PORT"] = str(servers.free_port())
    words = ["-m", "supervisor.supervisord", "-n", "-c", str(config)]
    process = subprocess.Popen([sys.executable, *words], env=env, start_new_session=True)
    try:
        words = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(config), "status"]

        def status():
            return subprocess.run(words, check=False, capture_output=True, text=True).stdout

        servers.wait_until(lambda: "redis " in status() and "web " in status(), "it answers")
    finally:
        servers.stop(process, 60)


def test_a_release_made_ready_beside_another_leaves_its_supervisor_conf(folder, monkeypatch):
    running, elsewhere = folder / "running", folder / "elsewhere"
    beside = running / "instance" / "next"
    for path in (beside, elsewhere):
        path.mkdir(parents=True)
    for checkout in (running, beside):
        (checkout / "supervisor.conf").write_text((ROOT / "supervisor.conf").read_text())
    copied = f"supervisord and supervisorctl are to be given: -c {elsewhere}/supervisor.conf"
    for instance, used, said in (
        (running / "instance", running / "supervisor.conf", ""),
        (elsewhere, elsewhere / "supervisor.conf", copied),
    ):
        settings = Settings.load({"INSTANCE": str(instance)})
        monkeypatch.setattr(run, "ROOT", running)
        assert run.prepare_supervisor(settings) == said
        before = used.read_text()
        monkeypatch.setattr(run, "ROOT", beside)
        assert f"{used} stays as it is" in run.prepare_supervisor(settings)
        assert used.read_text() == before
    assert not (running / "instance" / "supervisor.conf").exists()


@pytest.fixture(scope="module")
def unusual():
    """In a deep folder with blanks in its name, on all addresses, with a Redis that is there."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("unusual") as folder, servers.redis_server(folder) as url:
        deep = folder / ("a folder with blanks in it " * 3).strip() / ("b" * 60)
        deep.mkdir(parents=True)
        settings = {"HOST": "0.0.0.0", "REDIS_URL": url, "SECRET_KEY": "k" * 64}  # noqa: S104
        with servers.started(deep, **settings) as everything:
            yield everything


def test_listening_for_others_without_tls_is_warned_of(unusual):
    assert "Warning: it listens on 0.0.0.0 without TLS" in unusual.said


def test_a_folder_with_a_long_path_gets_its_sockets_elsewhere(unusual):
    assert "supervisor.sock" not in [path.name for path in unusual.instance.iterdir()]
    assert unusual.supervisorctl("status", "web").split()[1] in ("STARTING", "RUNNING")


def test_where_a_redis_is_named_the_private_one_ends_well(unusual):
    servers.wait_until(
        lambda: "EXITED" in unusual.supervisorctl("status", "redis"), "redis has ended"
    )


def test_a_release_is_tried_beside_the_running_one(unusual):
    pid = (unusual.instance / "gunicorn.pid").read_text()
    done = run_flask(unusual.instance.parent, "check-release", **unusual.settings)
    assert (done.returncode, done.stdout) == (0, "This release starts and is ready.\n")
    assert (unusual.instance / "gunicorn.pid").read_text() == pid
    assert "RUNNING" in unusual.supervisorctl("status", "web")


def test_a_release_that_is_not_ready_says_why(unusual, folder):
    (folder / "instance").mkdir()
    done = run_flask(folder, "try", **unusual.settings)
    assert done.returncode == 2
    assert "not ready: the tables are missing; run `flask prepare`" in done.stderr


def test_a_closed_terminal_leaves_no_process(unusual):
    assert unusual.end(signal.SIGHUP) == 0
    assert unusual.left() == []


def test_programs_that_cannot_be_started_are_named(folder):
    (folder / "instance" / "redis" / "appendonlydir" / "x").mkdir(parents=True)
    (folder / "instance" / "redis" / "redis.sock").mkdir()  # a folder where the socket should be
    everything = servers.Started(folder)
    try:
        servers.wait_until(lambda: "redis cannot be started" in everything.said, "it says so", 60)
    finally:
        everything.end()
    assert everything.left() == []
