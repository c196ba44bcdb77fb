"""The private Redis: one server at a time on a folder, a damaged file, a limit of memory."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.cli import private_redis
from app.cli.processes import CannotStart
from app.config import ROOT, Settings, redis_socket
from tests import servers
from tests.conftest import need

# It starts the real program.
pytestmark = pytest.mark.deploy
HOUR = 3600


@contextmanager
def own_instance():
    """The settings of an instance folder of its own."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("private") as folder:
        yield Settings.load({"INSTANCE": str(folder / "instance"), "REDIS_MAXMEMORY_MB": "16"})


@pytest.fixture
def settings():
    with own_instance() as settings:
        yield settings


@contextmanager
def started(settings, name="redis.log"):
    """The program, as supervisor starts it; its output is in a file of that name."""
    env = {**os.environ, "ENV_FILE": os.devnull, "INSTANCE": str(settings.instance)}
    env["REDIS_MAXMEMORY_MB"] = str(settings.redis_maxmemory_mb)
    settings.instance.mkdir(exist_ok=True)
    with (settings.instance / name).open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", private_redis.__name__],
            cwd=ROOT, env=env, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield process
    finally:
        servers.stop(process)


@contextmanager
def connected(settings):
    """A client, as soon as Redis answers."""
    path = redis_socket(settings.instance)
    retry = Retry(NoBackoff(), 0)
    with Redis(unix_socket_path=str(path), decode_responses=True, retry=retry) as client:

        def answers():
            with suppress(RedisError):
                return client.ping()
            return False

        servers.wait_until(answers, "Redis answers", 20)
        yield client


def said(settings, name="redis.log"):
    return (settings.instance / name).read_text()


def test_a_second_server_waits_until_the_first_has_ended(settings):
    with started(settings) as first, connected(settings) as client:
        client.config_set("appendfsync", "always")
        client.set("key", "of the first")
        with started(settings, "second") as second:
            servers.wait_until(lambda: "Another Redis" in said(settings, "second"), "it waits")
            assert client.info("server")["process_id"] == first.pid
            first.kill()
            first.wait()
            client.close()
            with connected(settings) as other:
                assert other.info("server")["process_id"] == second.pid
                assert other.get("key") == "of the first"
    assert said(settings, "second").count("Another Redis") == 1


def test_a_server_whose_supervisor_is_gone_is_replaced(settings):
    """It keeps what was stored."""
    settings.instance.mkdir(exist_ok=True)
    env = {**os.environ, "ENV_FILE": os.devnull, "INSTANCE": str(settings.instance)}
    words = ["sh", "-c", f"{sys.executable} -m {private_redis.__name__} & wait"]
    with subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as supervisor:
        with connected(settings) as client:
            client.set("key", "value")
        supervisor.kill()
    with started(settings) as second:
        servers.wait_until(lambda: "eady to accept" in said(settings), "it has started")
        with connected(settings) as client:
            assert client.info("server")["process_id"] == second.pid
            assert client.get("key") == "value"


def test_a_server_without_a_lock_is_waited_for_too(settings):
    """That of the release before."""
    folder = settings.instance / "redis"
    folder.mkdir(parents=True)
    with servers.redis_server(folder):
        assert private_redis.is_in_use(settings)
        with started(settings) as process:
            servers.wait_until((folder / "lock").exists, "it has the lock")
            assert process.poll() is None
            assert "Ready" not in said(settings)


def test_make_run_refuses_while_a_redis_runs(settings, monkeypatch):
    monkeypatch.setattr(private_redis, "PATIENCE_SECONDS", 1)
    private_redis.check_not_running(settings)
    pid_file = settings.instance / "gunicorn.pid"
    with started(settings) as redis, connected(settings):
        pid_file.write_text(f"{os.getpid()}\n")  # a number that another process has by now
        with pytest.raises(CannotStart) as refusal:
            private_redis.check_not_running(settings)
        assert refusal.value.message == (
            f"Still running in {settings.instance}: Redis (process {redis.pid}). "
            f"Stop what started it; if that has ended, run: kill {redis.pid}"
        )
        words = [sys.executable, "-c", "import time; time.sleep(600)", "-c", "gunicorn.conf.py"]
        with subprocess.Popen(words) as web:
            pid_file.write_text(f"{web.pid}\n")
            with pytest.raises(CannotStart, match=f": kill {web.pid} {redis.pid}$"):
                private_redis.check_not_running(settings)
            web.kill()
    private_redis.check_not_running(settings)


def test_make_run_refuses_while_a_redis_without_a_lock_runs(settings, monkeypatch):
    monkeypatch.setattr(private_redis, "PATIENCE_SECONDS", 1)
    folder = settings.instance / "redis"
    folder.mkdir(parents=True)
    with servers.redis_server(folder), pytest.raises(CannotStart, match="Stop what started it"):
        private_redis.check_not_running(settings)


def append_only(settings):
    return settings.instance / "redis" / private_redis.APPEND_ONLY


@pytest.fixture(scope="module")
def written():
    """The folder of an append-only file, with a base file and an incremental one."""
    with own_instance() as settings:
        with started(settings), connected(settings) as client:
            client.mset({f"base{n}": "v" * 200 for n in range(100)})
            client.bgrewriteaof()
            servers.wait_until(
                lambda: not client.info("persistence")["aof_rewrite_in_progress"], "it is rewritten"
            )
            client.mset({f"later{n}": "v" * 200 for n in range(100)})
        yield append_only(settings)


@pytest.fixture
def filled(settings, written):
    """A copy of that folder, in an instance of the test."""
    return shutil.copytree(written, append_only(settings))


def file_of(folder, kind):
    return next(path for path in folder.iterdir() if kind in path.name)


def overwrite(path, where, content):
    data = bytearray(path.read_bytes())
    data[where : where + len(content)] = content
    path.write_bytes(data)


DAMAGES = {
    "two servers wrote at once": lambda folder: overwrite(
        file_of(folder, "incr"), 20, b"*3\r\n$3\r\nSET\r\n"
    ),
    "zeros at the end": lambda folder: overwrite(file_of(folder, "incr"), 10**6, bytes(500)),
    "base file overwritten": lambda folder: overwrite(file_of(folder, "base"), 40, bytes(60)),
    "base file cut": lambda folder: os.truncate(file_of(folder, "base"), 100),
    "base file missing": lambda folder: file_of(folder, "base").unlink(),
    "manifest overwritten": lambda folder: file_of(folder, "manifest").write_text("x"),
    "manifest empty": lambda folder: file_of(folder, "manifest").write_text(""),
    "of a newer Redis": lambda folder: overwrite(file_of(folder, "base"), 0, b"REDIS9999"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside(settings, filled, damage):
    DAMAGES[damage](filled)
    with started(settings), connected(settings) as client:
        assert client.dbsize() == 0
    assert len(list(filled.parent.glob("*.damaged-*"))) == 1
    assert "was damaged" in said(settings)


def test_the_last_three_damaged_files_are_retained(settings, filled):
    earlier = [f"{filled.name}.damaged-2026-01-0{day}T000000.000000" for day in (1, 2, 3)]
    for name in earlier:
        shutil.copytree(filled, filled.with_name(name))
    DAMAGES["manifest empty"](filled)
    with started(settings), connected(settings):
        found = sorted(path.name for path in filled.parent.glob("*.damaged-*"))
    assert found[:2] == earlier[1:]
    assert len(found) == 3


@pytest.mark.parametrize(
    "happens",
    [
        lambda folder: None,
        lambda folder: os.truncate(
            file_of(folder, "incr"), file_of(folder, "incr").stat().st_size - 7
        ),
    ],
    ids=["whole", "cut at its end"],
)
def test_a_whole_file_and_one_cut_at_its_end_are_read(settings, filled, happens):
    happens(filled)
    with started(settings), connected(settings) as client:
        assert client.exists("base0", "base99") == 2
    assert not list(filled.parent.glob("*.damaged-*"))


def test_a_file_that_cannot_be_opened_is_not_damaged(settings, filled):
    path = file_of(filled, "incr")
    path.unlink()
    path.mkdir()
    with started(settings) as process:
        assert process.wait(60) != 0
    assert path.exists()
    assert not list(filled.parent.glob("*.damaged-*"))


def test_sessions_survive_a_full_redis(settings):
    """Cached texts and counters go first, and results without an expiry stay."""
    with started(settings), connected(settings) as client:
        sessions = {f"gz:session:{n}" for n in range(500)}
        for key in sessions:
            client.set(key, "s" * 300, ex=12 * HOUR)
        client.hset("pis", mapping={str(n): "3.14159" for n in range(1000)})
        with client.pipeline(transaction=False) as pipe:
            for number in range(40_000):
                pipe.set(f"gz:cities:text:{number}", "x" * 1000, ex=30)
                if number % 1000 == 0:
                    pipe.execute()
            pipe.execute()
        assert client.info("stats")["evicted_keys"] > 20_000
        assert client.exists(*sessions) == len(sessions)
        assert client.hlen("pis") == 1000
        assert client.info("memory")["used_memory"] < 17 << 20


def test_the_program_starts_without_large_libraries():
    """They would take a quarter of a second, in which pages have no Redis."""
    code = f"import sys, {private_redis.__name__}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    modules = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert not {"flask", "sqlalchemy"} & set(modules.split())
