"""/healthz and /readyz with real failures of each service."""

import os
import resource
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pymysql
import pytest
from sqlalchemy import text

from app.auth import common_passwords, queries
from app.config import ROOT
from app.database import schema
from app.database.engine import db
from app.health import services
from tests import servers
from tests.conftest import need
from tests.factories import Browser, add_token, at_once

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.9"}


def ready(app, **kwargs):
    """Request /readyz from this machine; returns status and body."""
    response = app.test_client().get("/readyz", **kwargs)
    return response.status_code, response.json


def set_revision(app, revision):
    """Pretend that the tables are those of another release."""
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
        db.session.commit()


@pytest.fixture(autouse=True)
def without_cache(monkeypatch):
    """Run the checks for each request."""
    monkeypatch.setattr(services, "READY_SECONDS", 0)
    monkeypatch.setattr(services, "NOT_READY_SECONDS", 0)


def test_healthz_needs_neither_database_nor_redis(make_app):
    app = make_app(
        REDIS_URL="unix:///nowhere/redis.sock", DATABASE_URL="mysql://u:p@127.0.0.1:1/nothing"
    )
    response = app.test_client().get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "alive"})


@contextmanager
def few_descriptors(left):
    """Leave this process so many file descriptors."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(opened) + 1, limits[1]))
    try:
        with suppress(OSError):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(left):
            os.close(opened.pop())
        yield
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("left", range(6))
def test_not_ready_without_file_descriptors(make_app, left, warm):
    app = make_app()
    app.test_client()  # its module is loaded while files can be opened
    if warm:
        assert ready(app)[0] == 200
    with few_descriptors(left):
        status, body = ready(app)
        assert app.test_client().get("/healthz").status_code == 200
    assert status == 503
    assert body["checks"] == {"process": "this process has no file descriptors left"}
    assert ready(app)[0] == 200


def test_ready_on_both_databases(any_app):
    status, body = ready(any_app)
    assert status == 200
    assert body == {
        "status": "ready",
        "checks": {
            "database": "ok",
            "tables": "ok",
            "redis": "ok",
            "storage": "ok",
            "proxy": "ok",
            "passwords": "ok",
            "backups": "no backup has been proven restorable",
            "schedules": "ok",
            "deliveries": "ok",
            "clock": "warning: no clock runs; see `supervisorctl status clock`",
            "worker": "warning: no worker runs, so jobs wait; see `supervisorctl status worker`",
        },
    }


def test_a_missing_list_of_common_passwords_is_reported(app, monkeypatch, tmp_path):
    monkeypatch.setattr(common_passwords, "FILE", tmp_path / "nothing.txt")
    status, body = ready(app)
    assert status == 503
    text = "common-passwords.txt is missing; run `flask build-assets`"
    assert body["checks"]["passwords"] == text


def test_redis_failure_is_reported_until_it_is_back(make_app):
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("ready") as folder:
        with servers.redis_server(folder) as url:
            app = make_app(REDIS_URL=url)
            assert ready(app)[0] == 200
        status, body = ready(app)
        assert status == 503
        assert body["checks"]["redis"] == "Redis does not answer"
        with servers.redis_server(folder):
            servers.wait_until(lambda: ready(app)[0] == 200, "it is ready again")


@pytest.mark.parametrize(
    ("limit", "policy", "words"),
    [
        ("0", "noeviction", "no memory limit"),
        ("64mb", "allkeys-lru", "ends sessions when it is full (maxmemory-policy allkeys-lru)"),
        ("64mb", "volatile-lru", "ends sessions when it is full (maxmemory-policy volatile-lru)"),
        ("64mb", "volatile-ttl", ""),
        ("64mb", "noeviction", ""),
    ],
)
def test_a_redis_that_may_end_sessions_is_a_warning(make_app, limit, policy, words):
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("ready") as folder, servers.redis_server(folder) as url:
        app = make_app(REDIS_URL=url)
        app.extensions["redis"].config_set("maxmemory", limit)
        app.extensions["redis"].config_set("maxmemory-policy", policy)
        status, body = ready(app)
        assert status == 200
        assert words in body["checks"]["redis"]
        assert body["checks"]["redis"].startswith("warning: Redis" if words else "ok")


def test_unreachable_database_is_reported(make_app):
    port = servers.free_port()
    status, body = ready(make_app(DATABASE_URL=f"mysql://u:secret@127.0.0.1:{port}/nothing"))
    assert status == 503
    assert body["checks"]["database"] == "the database does not answer"
    assert "tables" not in body["checks"]
    assert "secret" not in str(body)


def cut_connections(mariadb_url):
    """Close the connections of the pool, as a restart of MariaDB does."""
    port = int(mariadb_url.rpartition(":")[2])
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as other:
        cursor = other.cursor()
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db IS NOT NULL")
        lost = cursor.fetchall()
        assert lost
        for (number,) in lost:
            cursor.execute(f"KILL {int(number)}")


def test_lost_connections_are_replaced(make_app, mariadb_migrated, mariadb_url):
    app = make_app(DATABASE_URL=mariadb_migrated, PUBLIC_READ="1")
    browser = Browser(app)
    assert ready(app)[0] == 200
    assert browser.get("/cities?q=one").status_code == 200
    cut_connections(mariadb_url)
    assert browser.get("/cities?q=another").status_code == 200
    cut_connections(mariadb_url)
    assert ready(app)[0] == 200


def test_a_hung_database_does_not_hang_readyz(make_app):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        taken = []
        threading.Thread(target=lambda: taken.append(silent.accept()), daemon=True).start()
        url = f"mysql://u:p@127.0.0.1:{port}/nothing"
        app = make_app(DATABASE_URL=url)
        # It takes twice the time-outs to connect and read, and three times that on a busy machine.
        status, body = servers.within(15, lambda: ready(app))
        assert status == 503
        assert body["checks"]["database"] == "the database does not answer"
        for connection, _address in taken:
            connection.close()


def test_older_tables_are_not_ready(app):
    set_revision(app, "0001")
    status, body = ready(app)
    assert status == 503
    assert body["checks"]["tables"] == "the tables are older than this code; run `flask prepare`"


def test_newer_tables_are_a_warning_and_not_changed(app):
    set_revision(app, "9999_of_the_next_release")
    with app.app_context():
        schema.bring_up_to_date(app.config["SETTINGS"].database_url)
    status, body = ready(app)
    assert status == 200
    assert body["checks"]["tables"] == "warning: the tables are newer than this code"


def test_missing_tables_are_not_ready(make_app, tmp_path):
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite")
    status, body = ready(app)
    assert status == 503
    assert body["checks"]["tables"] == "the tables are missing; run `flask prepare`"


def test_unwritable_storage_is_reported(make_app, tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")
    status, body = ready(make_app(FILES_DIR=str(tmp_path / "taken")))
    assert status == 503
    assert body["checks"]["storage"] == "the folder for files is not writable"
    assert str(tmp_path) not in str(body)


def test_data_that_every_account_can_read_is_a_warning(make_app):
    with servers.short_folder("open") as folder:
        app = make_app(INSTANCE=str(folder / "instance"))
        (folder / "instance" / "log").mkdir(mode=0o755, parents=True)
        for path in (folder, folder / "instance", folder / "instance" / "log"):
            path.chmod(0o755)
        status, body = ready(app)
        assert status == 200
        assert body["checks"]["storage"].startswith("warning: every account of this machine can")
        (folder / "instance").chmod(0o750)
        app.extensions.pop("gazetteer-readiness")
        assert ready(app)[1]["checks"]["storage"] == "ok"


def test_concurrent_requests_run_the_checks_once(app, monkeypatch):
    monkeypatch.setattr(services, "READY_SECONDS", 60)
    redis = app.extensions["redis"]
    redis.config_resetstat()
    results = at_once(app, *[lambda: ready(app)[0]] * 8)
    assert results == [200] * 8
    assert redis.info("commandstats")["cmdstat_set"]["calls"] == 1


def test_a_cached_report_expires(app, monkeypatch):
    monkeypatch.setattr(services, "READY_SECONDS", 0.2)
    assert ready(app)[0] == 200
    set_revision(app, "0001")
    servers.wait_until(lambda: ready(app)[0] == 503, "it is seen")


# fsync waits until another greenlet of the process writes to a pipe, and fails after a time-out. If
# it blocked the event loop, it would fail.
WITH_A_SLOW_DISK = """
from gevent import monkey
monkey.patch_all()
import os
import gevent
from app import create_app
from app.config import Settings

select = monkey.get_original("select", "select")
reached, pipe = [], os.pipe()

def fsync(_file):
    reached.append("the disk")
    if not select([pipe[0]], [], [], 10)[0]:
        raise OSError("the event loop was blocked")

os.fsync = fsync
app = create_app(Settings.load())
asked = gevent.spawn(lambda: app.test_client().get("/readyz").json["checks"]["storage"])
while not reached:
    gevent.sleep(0.01)
os.write(pipe[1], b"x")
print(asked.get())
"""


def test_a_slow_disk_does_not_block_the_event_loop(app, site_environment):
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_SLOW_DISK], cwd=ROOT,
        env={**os.environ, **site_environment},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "ok\n", done.stderr


def test_others_see_only_the_status(app):
    assert ready(app, environ_base=ELSEWHERE) == (200, {"status": "ready"})
    set_revision(app, "0001")
    assert ready(app, environ_base=ELSEWHERE) == (503, {"status": "not ready"})


@pytest.mark.parametrize(
    ("address", "details"),
    [("", True), ("127.0.0.1", True), ("::1", True), ("192.0.2.9", False),
     ("192.0.2.9:5678", False), ("127.0.0.1:5678", False), ("unix:", False), ("unknown", False)],
)  # fmt: skip
def test_only_this_machine_sees_details_by_its_address(app, address, details):
    status, body = ready(app, environ_base={"REMOTE_ADDR": address})
    assert status == 200
    assert ("checks" in body) is details


def test_token_and_administrator_see_details_a_viewer_does_not(app, as_role):
    viewer, admin = as_role("viewer"), as_role("admin")
    with app.app_context():
        person = queries.find_person("viewer")
        assert person is not None
        token = add_token(person.id)
    assert "checks" not in viewer.client.get("/readyz", environ_base=ELSEWHERE).json
    assert "checks" in admin.client.get("/readyz", environ_base=ELSEWHERE).json
    for text_sent, details in ((token, True), ("gz_wrong", False)):
        headers = {"Authorization": f"Bearer {text_sent}"}
        status, body = ready(app, headers=headers, environ_base=ELSEWHERE)
        assert status == 200
        assert ("checks" in body) is details


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_accept_no_post(app, path):
    assert app.test_client().post(path).status_code == 405


@pytest.mark.parametrize(
    ("statement", "back"),
    [
        ("ALTER TABLE city RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO city"),
        (
            "ALTER TABLE city RENAME COLUMN usernumber TO elsewhere",
            "ALTER TABLE city RENAME COLUMN elsewhere TO usernumber",
        ),
    ],
)
def test_table_that_is_not_there_is_reported_within_a_minute(
    any_app, monkeypatch, caplog, statement, back
):
    monkeypatch.setattr(services, "TABLES_SECONDS", 0)
    assert ready(any_app)[0] == 200
    with db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    try:
        for _request in range(2):
            status, body = ready(any_app)
            assert status == 503
            assert body["checks"]["tables"].startswith("a statement failed (")
        assert len([r for r in caplog.records if "not ready: " in r.getMessage()]) == 1
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql(back)
    assert ready(any_app)[0] == 200


def test_server_that_allows_too_few_connections_is_a_warning(make_app, mariadb_migrated):
    app = make_app(DATABASE_URL=mariadb_migrated, WEB_WORKERS="10")
    assert ready(app)[0] == 200
    warning = "warning: max_connections is 300; 330 may be needed"
    assert ready(app)[1]["checks"]["database"] == warning
