"""Connections to MariaDB share one TLS context, and TLS stays preferred."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from pymysql.connections import Connection
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.database.engine import create_command_engine, db
from app.database.idempotency import KEYS
from app.database.mariadb import IDLE_SECONDS, SharedTlsConnection
from tests import servers
from tests.conftest import need
from tests.factories import note_calls


@pytest.fixture(scope="module")
def tls_url() -> Iterator[str]:
    """The address of a MariaDB that offers TLS."""
    need(servers.MARIADB, "mariadbd")
    need(servers.OPENSSL, "openssl")
    with servers.short_folder("tls") as folder:
        certificate, key = servers.make_certificate(folder, "localhost")
        with servers.mariadb_server(f"--ssl-cert={certificate}", f"--ssl-key={key}") as url:
            yield url.replace("mysql:", "mysql+pymysql:")


def connect(url, **options):
    """Connect with a new engine, as migrations and commands do; returns the driver's connection
    and its cipher."""
    with create_command_engine(url, connect_args=options).connect() as connection:
        cipher = connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1]
        return connection.connection.driver_connection, cipher


def test_connections_share_one_context_and_are_encrypted(tls_url, monkeypatch):
    monkeypatch.setattr(SharedTlsConnection, "_preferred", None)
    made, create = [], ssl.create_default_context
    monkeypatch.setattr(
        ssl, "create_default_context", lambda **more: made.append(more) or create(**more)
    )
    (first, first_cipher), (second, second_cipher) = connect(tls_url), connect(tls_url)
    assert first is not second
    assert first.ctx is second.ctx
    assert len(made) == 1
    assert first_cipher.startswith("TLS_")
    assert second_cipher.startswith("TLS_")


def test_connections_with_tls_options_have_their_own_context(tls_url):
    shared, _cipher = connect(tls_url)
    own, cipher = connect(tls_url, ssl_verify_cert="false")
    assert own.ctx is not shared.ctx
    assert cipher.startswith("TLS_")
    _plain, cipher = connect(tls_url, ssl_disabled=True)
    assert cipher == ""


def test_a_server_without_tls_can_be_used(mariadb_url):
    _connection, cipher = connect(mariadb_url.replace("mysql:", "mysql+pymysql:"))
    assert cipher == ""


def test_the_pool_of_the_application_shares_it_too(mariadb):
    with db.engine.connect() as first, db.engine.connect() as second:
        contexts = {
            id(connection.connection.driver_connection.ctx) for connection in (first, second)
        }
        assert len(contexts) == 1


@pytest.fixture
def pings(monkeypatch):
    """The pings that are sent."""
    return note_calls(monkeypatch, Connection, "ping")


def use_connections(count):
    """The ids of so many connections of the pool, used at the same time."""
    with ExitStack() as stack:
        used = [stack.enter_context(db.engine.connect()) for _each in range(count)]
        return [each.scalar(text("SELECT CONNECTION_ID()")) for each in used]


def test_a_connection_is_pinged_after_it_was_idle(mariadb, pings):
    [first] = use_connections(1)
    pings.clear()
    assert [use_connections(1) for _each in range(3)] == [[first]] * 3
    assert pings == []
    with db.engine.connect() as connection:
        driver = connection.connection.driver_connection
    driver.answered -= IDLE_SECONDS
    assert use_connections(1) == [first]
    assert len(pings) == 1
    assert use_connections(1) == [first]
    assert len(pings) == 1


def test_after_a_restart_of_the_database_no_request_fails(mariadb, mariadb_url, pings):
    """The server closes all connections, those that were just used too."""
    old = use_connections(3)
    pings.clear()
    assert sorted(use_connections(3)) == sorted(old)
    assert pings == []
    with create_command_engine(mariadb_url.replace("mysql:", "mysql+pymysql:")).connect() as other:
        for number in old:
            other.execute(text(f"KILL CONNECTION {number}"))
    new = use_connections(3)
    assert not set(new) & set(old)
    assert len(set(new)) == 3
    assert sorted(use_connections(3)) == sorted(new)


def test_a_connection_that_ends_while_it_is_used_fails_alone(mariadb, mariadb_url):
    with db.engine.connect() as connection:
        number = connection.scalar(text("SELECT CONNECTION_ID()"))
        [idle] = use_connections(1)
        with create_command_engine(
            mariadb_url.replace("mysql:", "mysql+pymysql:")
        ).connect() as other:
            other.execute(text(f"KILL CONNECTION {number}"))
        with pytest.raises(DBAPIError):
            connection.scalar(text("SELECT 1"))
    assert number not in use_connections(2)
    assert idle != number


@pytest.fixture
def rollbacks(monkeypatch):
    """The rollbacks that are sent."""
    return note_calls(monkeypatch, Connection, "rollback")


def store_key(connection, key):
    connection.execute(insert(KEYS), {"key": key})


def stored_keys():
    """What others see."""
    with db.engine.connect() as connection:
        return set(connection.scalars(select(KEYS.c.key)))


def test_a_connection_is_rolled_back_only_after_an_open_transaction(mariadb, rollbacks):
    with db.engine.connect() as connection:
        store_key(connection, "committed")
        connection.commit()
    assert rollbacks == []
    with db.engine.connect() as connection:
        store_key(connection, "rolled back")
        connection.rollback()
    assert len(rollbacks) == 1
    with db.engine.connect() as connection:
        store_key(connection, "committed again")
        connection.commit()
        store_key(connection, "left open")
    assert len(rollbacks) == 2
    assert stored_keys() == {"committed", "committed again"}


def test_a_statement_that_failed_after_a_commit_is_rolled_back(mariadb, rollbacks):
    """It holds a lock of the row that it found."""
    with db.engine.connect() as connection:
        store_key(connection, "a")
        connection.commit()
        with suppress(IntegrityError):
            store_key(connection, "a")
    assert len(rollbacks) == 1
    with create_command_engine(db.engine.url).begin() as connection:
        connection.execute(text("SET innodb_lock_wait_timeout = 0"))
        connection.execute(delete(KEYS))
    assert stored_keys() == set()
