"""Dumping MariaDB with mariadb-dump, whose transaction sees one moment while people write."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from sqlalchemy import URL, Connection, Engine, text

from app.backups.archive.writing import BLOCK
from app.errors import Refused
from app.text import N_

PROGRAMS = ("mariadb-dump", "mysqldump")
MISSING = N_("The program mariadb-dump is missing. Install the package mariadb-client.")
OPTIONS = (
    "--single-transaction",
    "--quick",
    "--skip-opt",  # turns all of the following off, and more
    "--create-options",
    "--extended-insert",
    "--complete-insert",  # with the names of the columns
    "--order-by-primary",  # the same rows are the same text
    "--hex-blob",
    "--skip-comments",
    "--skip-triggers",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
)
# Options of the program by those of DATABASE_URL.
CONNECTION = {
    "unix_socket": "socket",
    "ssl_ca": "ssl-ca",
    "ssl_cert": "ssl-cert",
    "ssl_key": "ssl-key",
}
TABLES = text(
    "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name"
)
SIZE = text(
    "SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = DATABASE()"
)
STDERR_MOST = 2000


def find_program() -> str:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise Refused(MISSING)
    return found


def size_of(engine: Engine) -> int:
    """About how many bytes the rows have."""
    with engine.connect() as connection:
        return int(connection.scalar(SIZE) or 0)


def dumped(engine: Engine) -> Iterator[bytes]:
    """The dump of all tables of a database, block by block. Views, triggers and routines of other
    programs are not in it."""
    program, url = find_program(), engine.url
    with engine.connect() as connection:
        tables = list(connection.scalars(TABLES))
        options = client_options(url, offers_tls(connection))
    with option_file(options) as file, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, f"--defaults-file=/dev/fd/{file}", *OPTIONS, str(url.database), *tables],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, pass_fds=[file],
            env={"PATH": os.defpath}, start_new_session=True,
        )  # fmt: skip
        try:
            assert process.stdout  # noqa: S101 - for mypy
            while block := process.stdout.read(BLOCK):
                yield block
            if process.wait():
                raise Refused(N_("mariadb-dump failed: %(reason)s", reason=last_line(errors)))
        finally:
            stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdout:
        process.stdout.close()
    if process.poll() is None:
        process.kill()
    process.wait()


def last_line(errors: IO[bytes]) -> str:
    """What the program wrote at last."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - STDERR_MOST))
    lines = errors.read(STDERR_MOST).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "?")


def offers_tls(connection: Connection) -> bool:
    row = connection.execute(text("SHOW VARIABLES LIKE 'have_ssl'")).one_or_none()
    return row is not None and row[1] == "YES"


def client_options(url: URL, tls: bool) -> Mapping[str, str | None]:
    """The options with which the program connects as we do: with TLS if the server offers it."""
    options: dict[str, str | None] = {
        "user": url.username or "",
        "password": url.password or "",
        "host": url.host or "localhost",
        "port": str(url.port or 3306),
    }
    for name, value in url.query.items():
        if name in CONNECTION:
            options[CONNECTION[name]] = str(value)
    if tls and "socket" not in options:
        options["ssl"] = None
        if "ssl-ca" not in options:
            options["loose-skip-ssl-verify-server-cert"] = None
    return options


@contextmanager
def option_file(options: Mapping[str, str | None]) -> Iterator[int]:
    """The descriptor of a file with options, which has no name: a password in it is neither on the
    command line nor on a disk."""
    lines = [
        name if value is None else f"{name}={quoted(value)}" for name, value in options.items()
    ]
    handle = os.memfd_create("options")
    try:
        os.fchmod(handle, 0o600)  # the program ignores one that others could write to
        os.write(handle, "\n".join(["[client]", *lines, ""]).encode())
        yield handle
    finally:
        os.close(handle)


def quoted(value: str) -> str:
    """A value in an option file."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
