"""What `flask prepare` checks on MariaDB before its first step: tables of the original program in
other engines and row formats, rights of the account, MySQL 8."""

import re
import socket
import struct
import threading
from contextlib import contextmanager

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.cities.models import City
from app.cli.run import CannotStart, prepare
from app.config import ROOT
from app.database import schema
from app.database.engine import db

ROWS = [("广东", "深圳市", 17494398), ("浙江", "杭州市", 9236032), ("重庆", None, 5)]
COLUMNS = """id int NOT NULL AUTO_INCREMENT PRIMARY KEY, provincename varchar(255),
    cityname varchar(255), usernumber int"""


@pytest.fixture
def server(mariadb_url):
    """Runs statements as the administrator of the server in an empty database, which is dropped
    afterwards."""
    port = make_url(mariadb_url).port
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE preflight CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        cursor.execute("USE preflight")

        def run(statement, values=None):
            cursor.execute(statement, values)
            return cursor.fetchall()

        yield run
        cursor.execute("DROP DATABASE preflight")


@pytest.fixture
def prepared(make_app, mariadb_url):
    """Runs `flask prepare` on that database; returns the application."""

    def run(account="root"):
        url = mariadb_url.replace("root@", f"{account}@")
        app = make_app(own=True, commands=True, DATABASE_URL=f"{url}/preflight")
        with app.app_context():
            prepare(app.config["SETTINGS"])
        return app

    return run


def tables(server):
    return {name for (name,) in server("SHOW TABLES")}


@pytest.mark.parametrize(
    "options",
    [
        "ENGINE=MyISAM DEFAULT CHARSET=utf8mb3",
        "ENGINE=MyISAM DEFAULT CHARSET=latin1 ROW_FORMAT=FIXED",
        "ENGINE=Aria DEFAULT CHARSET=utf8mb4",
        "ENGINE=MEMORY DEFAULT CHARSET=utf8mb4",
        "ENGINE=InnoDB ROW_FORMAT=REDUNDANT DEFAULT CHARSET=utf8mb3",
        "ENGINE=InnoDB ROW_FORMAT=COMPACT DEFAULT CHARSET=utf8mb4",
        "ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=1 DEFAULT CHARSET=utf8mb3",
    ],
)
def test_table_of_the_original_is_adopted_from_any_engine(server, prepared, options):
    rows = [("a", "b", 1), *([] if "latin1" in options else ROWS)]
    server(f"CREATE TABLE city ({COLUMNS}) {options}")
    for row in rows:
        server("INSERT INTO city (provincename, cityname, usernumber) VALUES (%s, %s, %s)", row)
    server("DELETE FROM city WHERE id = 1")
    app = prepared()
    with app.app_context():
        found = db.session.execute(text("SELECT id, provincename, cityname, usernumber FROM city"))
        assert found.all() == [(n, *row) for n, row in enumerate(rows[1:], 2)]
        city = City(provincename="新", cityname="新", usernumber=1)
        db.session.add(city)
        db.session.commit()
        assert city.id == len(rows) + 1
        db.session.remove()
    [(engine, row_format)] = server(
        "SELECT engine, row_format FROM information_schema.tables"
        " WHERE table_schema = 'preflight' AND table_name = 'city'"
    )
    assert (engine, row_format) == ("InnoDB", "Dynamic")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("CREATE TABLE city (id int NOT NULL, usernumber int NOT NULL) ENGINE=CSV",
         "The table city has the engine CSV. Convert it, then run `flask prepare` again: "
         "ALTER TABLE city ENGINE=InnoDB ROW_FORMAT=DYNAMIC"),
        ("CREATE VIEW city AS SELECT 1 AS id, 'a' AS provincename, 'b' AS cityname",
         "city is not a table but a view."),
    ],
)  # fmt: skip
def test_table_that_cannot_be_adopted_is_refused_before_the_first_step(
    server, prepared, made, said
):
    server(made)
    before = server("SHOW COLUMNS FROM city")
    with pytest.raises(CannotStart) as error:
        prepared()
    assert said in str(error.value)
    assert tables(server) == {"city"}
    assert server("SHOW COLUMNS FROM city") == before


@contextmanager
def with_global(server, name, value):
    """Set a variable of the server for a while."""
    [(before,)] = server(f"SELECT @@GLOBAL.{name}")
    server(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        server(f"SET GLOBAL {name} = {before}")


def test_small_row_format_of_the_server_is_refused_before_the_first_step(server, prepared):
    with (
        with_global(server, "innodb_default_row_format", "compact"),
        pytest.raises(CannotStart, match="SET GLOBAL innodb_default_row_format=DYNAMIC"),
    ):
        prepared()
    assert tables(server) == set()


def test_tables_have_foreign_keys_whatever_the_default_engine_is(server, prepared):
    with with_global(server, "default_storage_engine", "MyISAM"):
        prepared()
    engines = server(
        "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = 'preflight'"
    )
    assert engines == (("InnoDB",),)


@pytest.fixture
def account(server):
    """An account with all rights in this database but one; dropped afterwards."""
    server("CREATE USER gaz@'127.0.0.1' IDENTIFIED BY 'x'")
    server("GRANT ALL ON preflight.* TO gaz@'127.0.0.1'")

    def without(right):
        server(f"REVOKE {right} ON preflight.* FROM gaz@'127.0.0.1'")
        return "gaz:x"

    yield without
    server("DROP USER gaz@'127.0.0.1'")


@pytest.mark.parametrize(
    "right",
    ["CREATE", "INSERT", "UPDATE", "DELETE", "SELECT", "ALTER", "INDEX"],
)
def test_missing_right_is_named_before_the_first_step(server, prepared, account, right):
    server(f"CREATE TABLE city ({COLUMNS}) ENGINE=MyISAM")
    with pytest.raises(CannotStart) as error:
        prepared(account(right))
    assert str(error.value).startswith("The database cannot be used: 1142 ")
    assert f"{right}" in str(error.value)
    assert tables(server) == {"city"}
    assert len(server("SHOW COLUMNS FROM city")) == 4


def test_the_rights_that_the_guide_grants_are_enough(server, prepared, account):
    guide = (ROOT / "docs" / "operating.md").read_text()
    (rights,) = re.findall(r"GRANT ([A-Z,\s]+)\sON gazetteer\.\*", guide)
    who = account("ALL PRIVILEGES")
    server(f"GRANT {rights} ON preflight.* TO gaz@'127.0.0.1'")
    prepared(who)


def packet(number, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def greet_as_mysql_8(listener):
    """Answer as MySQL 8.0 does without TLS: greet with its default authentication, and ask for the
    full one, for which the password has to be encrypted."""
    salt = b"eight-by", b"twelve-bytes"
    while True:
        try:
            client, _address = listener.accept()
        except OSError:
            return
        with client:
            head = b"\x0a8.0.36\0" + struct.pack("<I", 7) + salt[0] + b"\0"
            # Protocol 4.1, secure connection, authentication by plugins.
            head += struct.pack("<HBHHB", 0xA285 | 0x8200, 255, 2, 0x002F | 0x0008, 21) + bytes(10)
            client.sendall(packet(0, head + salt[1] + b"\0caching_sha2_password\0"))
            client.recv(65536)
            client.sendall(packet(2, b"\x01\x04"))
            wants_key = client.recv(65536)[4:5] == b"\x02"
            client.sendall(packet(4, b"\x01a public key") if wants_key else b"")
            client.recv(65536)


@pytest.fixture
def mysql_8():
    """The address of a stand-in for MySQL 8."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=greet_as_mysql_8, args=(listener,))
        greeter.start()
        yield f"mysql://u:p@127.0.0.1:{listener.getsockname()[1]}/gazetteer"
        listener.shutdown(socket.SHUT_RDWR)
    greeter.join(60)


def test_mysql_8_without_tls_is_answered_with_what_it_needs(make_app, mysql_8):
    app = make_app(DATABASE_URL=mysql_8)
    with app.app_context(), pytest.raises(schema.SchemaError) as error:
        schema.bring_up_to_date(app.config["SETTINGS"].database_url)
    assert str(error.value) == (
        "The database cannot be used: 2061 The account uses caching_sha2_password or "
        "sha256_password, which needs TLS, a unix socket, or the Python package cryptography. "
        "See DATABASE_URL."
    )
    checks = app.test_client().get("/readyz").json["checks"]
    assert checks["database"] == "the database refuses this (2061); see the log"
