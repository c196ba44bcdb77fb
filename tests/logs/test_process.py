"""What a web process writes on standard error."""

import logging
from contextlib import contextmanager

import pytest

from app.logs.events import event
from app.logs.process import GUNICORN, configure

SECRET = "/setup/a-secret?q=private"


@contextmanager
def process_log(app):
    """The logger of gunicorn in a process as wsgi.py configures it. No fixture, because pytest
    changes the handlers between a fixture and its test."""
    loggers = [logging.getLogger(name) for name in ("", GUNICORN, "alembic")]
    saved = [(each.handlers[:], each.filters[:], each.level, each.propagate) for each in loggers]
    configure(app.config["SETTINGS"])
    try:
        yield loggers[1]
    finally:
        for each, (handlers, filters, level, propagate) in zip(loggers, saved, strict=True):
            each.handlers[:], each.filters[:], each.propagate = handlers, filters, propagate
            each.setLevel(level)


def test_security_events_are_not_in_it(app, capsys):
    with app.app_context(), process_log(app):
        event("signed-in", logging.WARNING)
        app.logger.warning("something else")
    written = capsys.readouterr().err
    assert "something else" in written
    assert "signed-in" not in written


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("Error handling request %s", (SECRET,), "Error handling request"),
        ("Error handling request %s %s", ("GET", SECRET), "Error handling request"),
        (
            f"Invalid request from ip=192.0.2.1: Invalid HTTP request line: 'GET {SECRET}'",
            (),
            "Invalid request from ip=192.0.2.1: Invalid HTTP request line: ",
        ),
        (
            f'Invalid request from ip=::1: Invalid HTTP Header: "{SECRET * 300}"',
            (),
            "Invalid request from ip=::1: Invalid HTTP Header: ",
        ),
        ("Booting worker with pid: %s", (7,), "Booting worker with pid: 7"),
    ],
)
def test_gunicorn_says_nothing_of_what_a_client_sent(app, capsys, message, args, expected):
    with process_log(app) as log:
        log.warning(message, *args)
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(expected)


def test_an_error_of_gunicorn_has_a_short_trace(app, capsys):
    def deeper(depth):
        if depth:
            deeper(depth - 1)
        raise ValueError(SECRET * 500)

    with process_log(app) as log:
        try:
            deeper(80)
        except ValueError:
            log.exception("Error handling request %s", SECRET * 500)
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert len(written.encode()) <= 1000
