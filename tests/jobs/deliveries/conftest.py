"""Servers that results are sent to, and the clock's part without a clock."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.config import ROOT
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import unrecorded
from app.jobs.deliveries import dispatch, sending
from app.jobs.deliveries.models import Delivery
from app.settings.delivery_targets import delivery_targets

Answer = Callable[[socket.socket], object]


@contextmanager
def listening(answer: Answer) -> Iterator[int]:
    """A server on loopback that calls `answer` with each connection; yields its port."""

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _address = server.accept()
                with connection, suppress(OSError):
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
    thread.join(30)


def read_request(connection: socket.socket) -> str:
    """Read a request to its end: a server that closes the connection before that resets it."""
    text = ""
    while not (found := re.search(r"Content-Length: (\d+).*?\r\n\r\n", text, re.DOTALL)) or (
        len(text) < found.end() + int(found[1])
    ):
        if not (part := connection.recv(65536)):
            raise ConnectionError("the request is not complete")
        text += part.decode("latin-1")
    return text


def saying(text: str) -> Answer:
    """Reads a request and answers with these lines."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(text.replace("\n", "\r\n").encode())

    return answer


class Receiving:
    """The receiver of docs/deliveries.md. Until it is started it has its port and refuses
    connections."""

    def __init__(self) -> None:
        text = (ROOT / "docs" / "deliveries.md").read_text()
        [code] = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.names: dict[str, Any] = {"__name__": "receiver"}
        exec(code, self.names)  # noqa: S102 - the example of our own document
        self.requests: list[tuple[dict[str, str], int]] = []
        self.thread: threading.Thread | None = None
        requests, base = self.requests, self.names["Receiver"]

        class Noting(base):  # type: ignore[misc,valid-type]
            def send_response(self, *words: Any) -> None:
                requests.append((dict(self.headers), words[0]))
                super().send_response(*words)

            def log_message(self, *_words: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Noting, bind_and_activate=False)
        self.server.server_bind()

    def start(self) -> None:
        self.server.server_activate()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        if self.thread:
            self.server.shutdown()
        self.server.server_close()

    @property
    def results(self) -> dict[str, Any]:
        return self.names["results"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/results"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy does not decide how a test ends."""
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 300.0)
    monkeypatch.setattr(sending, "CONNECT_SECONDS", 100.0)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiving]:
    monkeypatch.setenv("DELIVERY_KEY", "none")
    found = Receiving()
    yield found
    found.close()


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lists servers: allow(app, "http://127.0.0.1:8080")."""

    def change(app: Flask, *servers: str) -> None:
        targets = delivery_targets({"DELIVERY_TARGETS": ",".join(servers)})
        settings = replace(app.config["SETTINGS"], delivery_targets=targets)
        monkeypatch.setitem(app.config, "SETTINGS", settings)

    return change


def send_all() -> None:
    """Send everything that is due, as the threads of a clock do."""
    for origin in dispatch.find_origins():
        dispatch.send_due(origin)


def only_delivery() -> Delivery:
    """The present row of the only delivery."""
    db.session.rollback()
    return db.session.scalars(select(Delivery).execution_options(populate_existing=True)).one()


@unrecorded
def make_due() -> None:
    """Let the time of the next attempt come."""
    waiting = update(Delivery).where(Delivery.state == "waiting")
    db.session.execute(waiting.values(next_at=DatabaseTime(-1)))
