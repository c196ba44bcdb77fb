"""`make run`: first start, errors before the start, Ctrl-C; `flask prepare` and check-release."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from app.cli import run, supervisor
from app.config import ROOT, Settings, redis_socket
from tests import servers
from tests.conftest import need
from tests.factories import run_command
from tests.site import Site


def run_flask(folder, *words, **settings):
    """Run a flask command that exits by itself."""
    (folder / "env").touch()
    env = {**os.environ, "ENV_FILE": str(folder / "env"), "INSTANCE": str(folder / "instance")}
    return subprocess.run(
        [sys.executable, "-m", "flask", *words], cwd=ROOT, env={**env, **settings},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_first_start_is_claimed_by_link_and_second_keeps_the_session(folder):
    with servers.started(folder, WEB_WORKERS="1") as first:
        assert first.setup_path
        client = Site(first.base).claim(first.setup_path, sample="y")
        assert "深圳市" in client.get(f"{first.base}/cities", timeout=60).text
        # The link no longer works, and is not in the log.
        assert requests.get(first.base + first.setup_path, timeout=60).status_code == 404
        log = (first.folder / "log" / "web.log").read_text()
        assert "path=/setup/-" in log
        assert first.setup_path not in log
        client.close()  # an idle connection would be waited for
        assert (first.folder / "gunicorn.pid").exists()
        assert first.stop() == 0
        assert first.output.endswith("\nStopping ...\n")
        assert first.processes() == []
        assert not (first.folder / "gunicorn.pid").exists()
    begun = time.monotonic()
    with servers.started(folder, PORT=str(first.port), WEB_WORKERS="1") as second:
        assert second.setup_path == ""
        page = client.get(f"{second.base}/account", timeout=60, allow_redirects=False)
        assert page.status_code == 200
        print(f"second start to first page: {time.monotonic() - begun:.2f} s")  # noqa: T201
        client.close()
        assert second.stop(signal.SIGTERM) == 0
        assert second.processes() == []


def test_a_taken_port_is_reported_in_one_sentence(make_app):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_command(make_app(commands=True, PORT=str(port)), "start")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is taken" in done.stderr


def test_an_address_of_another_machine_is_reported_in_one_sentence(folder):
    done = run_flask(folder, "start", HOST="192.0.2.1")
    assert done.returncode == 2
    assert done.stderr == "Error: HOST=192.0.2.1 is not an address of this machine.\n"


def test_an_unreachable_database_is_reported_without_its_password(make_app):
    url = f"mysql://u:secret@127.0.0.1:{servers.free_port()}/x"
    settings = {"DATABASE_URL": url, "PORT": str(servers.free_port())}
    done = run_command(make_app(own=True, commands=True, **settings), "start")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "The database cannot be used: 2003 Can't connect" in done.stderr
    assert "secret" not in done.stderr


def test_an_invalid_setting_is_reported_in_one_sentence(folder):
    done = run_flask(folder, "start", PORT="eighty")
    assert done.returncode == 2
    assert done.stderr == "Error: PORT must be a whole number from 1 to 65535, not 'eighty'.\n"


def test_prepare_names_the_supervisor_conf_of_another_instance_folder(make_app):
    """It is the one that `make run` uses, and that the test of a killed supervisor starts."""
    app = make_app(commands=True)
    config = app.config["SETTINGS"].instance / "supervisor.conf"
    assert f"-c {config}\n" in run_command(app, "prepare").stdout
    assert config.read_text().count(str(config.parent)) > 5


def test_prepare_does_not_change_the_supervisor_conf_of_another_release(folder, monkeypatch):
    running, elsewhere = folder / "running", folder / "elsewhere"
    beside = running / "instance" / "next"
    for path in (beside, elsewhere):
        path.mkdir(parents=True)
    for checkout in (running, beside):
        (checkout / "supervisor.conf").write_text((ROOT / "supervisor.conf").read_text())
    copied = f"Run supervisord and supervisorctl with: -c {elsewhere}/supervisor.conf"
    for instance, used, hint in (
        (running / "instance", running / "supervisor.conf", ""),
        (elsewhere, elsewhere / "supervisor.conf", copied),
    ):
        settings = Settings.load({"INSTANCE": str(instance)})
        monkeypatch.setattr(supervisor, "ROOT", running)
        assert supervisor.prepare_config(settings) == hint
        before = used.read_text()
        monkeypatch.setattr(supervisor, "ROOT", beside)
        assert f"{used} is not changed" in supervisor.prepare_config(settings)
        assert used.read_text() == before
    assert not (running / "instance" / "supervisor.conf").exists()


@pytest.fixture(scope="module")
def unusual():
    """An instance in a deep folder with spaces in its path, on all addresses, with REDIS_URL."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("unusual") as folder, servers.redis_server(folder) as url:
        deep = folder / ("a folder with spaces in it " * 3).strip() / ("b" * 60)
        deep.mkdir(parents=True)
        settings = {
            "HOST": "0.0.0.0",  # noqa: S104
            "REDIS_URL": url,
            "SECRET_KEY": "k" * 64,
            "WEB_WORKERS": "1",
        }
        with servers.started(deep, **settings) as instance:
            yield instance


def test_start_warns_if_others_can_connect_without_tls(unusual):
    assert "Warning: listening on 0.0.0.0 without TLS" in unusual.output


def test_sockets_of_a_long_path_are_in_the_temporary_folder(unusual):
    assert "supervisor.sock" not in [path.name for path in unusual.folder.iterdir()]
    assert unusual.supervisorctl("status", "web").split()[1] in ("STARTING", "RUNNING")


def test_the_private_redis_exits_with_success_if_redis_url_is_set(unusual):
    servers.wait_until(
        lambda: "EXITED" in unusual.supervisorctl("status", "redis"), "redis has exited"
    )


def test_a_release_is_checked_beside_the_running_one(unusual):
    pid = (unusual.folder / "gunicorn.pid").read_text()
    done = run_flask(unusual.folder.parent, "check-release", **unusual.settings)
    assert (done.returncode, done.stdout) == (0, "This release starts and is ready.\n")
    assert (unusual.folder / "gunicorn.pid").read_text() == pid
    assert "RUNNING" in unusual.supervisorctl("status", "web")


def test_check_release_says_why_a_release_is_not_ready(unusual, folder):
    (folder / "instance").mkdir()
    done = run_flask(folder, "try", **unusual.settings)
    assert done.returncode == 2
    assert "not ready: the tables are missing; run `flask prepare`" in done.stderr


def test_closing_the_terminal_stops_every_process(unusual):
    assert unusual.stop(signal.SIGHUP) == 0
    assert unusual.processes() == []


def supervisord(folder, config, **settings):
    """Start supervisor as an operator does."""
    words = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)]
    env = {**os.environ, "ENV_FILE": str(folder / "env"), "INSTANCE": str(config.parent)}
    return subprocess.Popen(words, cwd=ROOT, env={**env, **settings}, start_new_session=True)


def test_programs_that_cannot_be_started_are_reported(folder, capsys):
    instance = folder / "instance"
    (instance / "redis" / "redis.sock").mkdir(parents=True)  # where the socket should be
    (instance / "log").mkdir()
    settings = Settings.load({"INSTANCE": str(instance), "PORT": str(servers.free_port())})
    config = supervisor.config_file(settings)
    # Redis alone, at the first attempt; the next ones are seconds later.
    text = config.read_text().partition("[program:clock]")[0]
    config.write_text(text.replace("startretries = 8", "startretries = 0"))
    reported = ""

    def goes_on():
        nonlocal reported
        reported += capsys.readouterr().err
        return process.poll() is None and "cannot be started" not in reported

    with supervisord(folder, config) as process:
        try:
            assert not run.wait_until_ready(settings, goes_on)
        finally:
            servers.stop(process)
    assert f"Not ready: redis cannot be started. See the logs in {instance}/log.\n" in reported


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return int(file.read().rpartition(")")[2].split()[1])


def test_programs_of_a_killed_supervisor_are_replaced(folder):
    """Its Redis above all: two that write one file would damage it."""
    with servers.started(folder, WEB_WORKERS="1") as first:
        client = Site(first.base).claim(first.setup_path)
        os.kill(int((first.folder / "supervisord.pid").read_text()), signal.SIGKILL)
        servers.wait_until(lambda: first.process.poll() is not None, "make run has ended")
        assert (first.process.returncode, "they may still run" in first.output) == (1, True)
        config = first.folder / "supervisor.conf"
        with supervisord(folder, config, PORT=str(first.port), WEB_WORKERS="1") as second:
            try:
                path = redis_socket(first.folder)

                def is_managed():
                    # Until then processes of the first one may answer.
                    with suppress(RedisError, OSError, ValueError):
                        web = int((first.folder / "gunicorn.pid").read_text())
                        with Redis(unix_socket_path=str(path)) as redis:
                            pids = (web, redis.info("server")["process_id"])
                        return {parent_of(pid) for pid in pids} == {second.pid}
                    return False

                servers.wait_until(is_managed, "programs of the second supervisor run")
                servers.wait_until(lambda: servers.answers(first.base, "/readyz"), "it is ready")

                def is_signed_in():
                    # A worker that ends resets what has come to it.
                    with suppress(requests.ConnectionError):
                        page = client.get(
                            f"{first.base}/account", timeout=60, allow_redirects=False
                        )
                        return page.status_code == 200
                    return False

                servers.wait_until(is_signed_in, "the session is known")
                client.close()
            finally:
                servers.stop(second)
        servers.wait_until(lambda: first.processes() == [], "everything has stopped")
