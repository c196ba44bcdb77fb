"""Connections to MariaDB share one TLS context, and TLS stays preferred."""

import ssl
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.database.engine import create_command_engine
from app.database.mariadb import SharedTlsConnection
from tests import servers
from tests.conftest import need


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
    from app.database.engine import db

    with db.engine.connect() as first, db.engine.connect() as second:
        contexts = {
            id(connection.connection.driver_connection.ctx) for connection in (first, second)
        }
        assert len(contexts) == 1
