"""The lines of requests are written together and in order; others are not delayed."""

import logging
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from app.config import ROOT
from app.logs.stream import BLOCK_BYTES, LineStream, blocks

# A gevent process that logs what it reads: a line for a request, a warning, an error or a pause.
# Its word: for how many seconds lines of requests are collected.
PROGRAM = """
from gevent import monkey
monkey.patch_all()

import logging, sys, time
from app.config import Settings
from app.logs import stream
from app.logs.process import configure

stream.FLUSH_SECONDS = float(sys.argv[1])
configure(Settings.load())
for word in sys.stdin.read().split():
    if word == "warning":
        logging.warning(word)
    elif word == "error":
        try:
            raise ValueError(word)
        except ValueError:
            logging.exception(word)
    elif word == "pause":
        time.sleep(1)
    elif word == "ask":
        print("asked", flush=True)
        time.sleep(600)
    else:
        log = logging.getLogger("gazetteer.request")
        log.info("request", extra={"fields": {"path": word}})
"""


@contextmanager
def process(words, seconds):
    """That process, with a pipe from its standard error."""
    popen = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(seconds)], cwd=ROOT,
        env={**os.environ, "ENV_FILE": os.devnull},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        popen.stdin.write(words.encode())
        popen.stdin.close()
        yield popen
    finally:
        popen.kill()
        popen.wait()
        popen.stdout.close()
        popen.stderr.close()


def last_words(lines):
    return [line.decode().split()[-1].removeprefix("path=") for line in lines]


def test_a_process_that_exits_writes_what_it_has_collected():
    with process("/1 /2 /3", 600) as popen:
        assert last_words(popen.stderr) == ["/1", "/2", "/3"]
        assert popen.wait(60) == 0


def test_lines_of_requests_are_written_soon():
    with process("/1 /2 pause ask", 0.01) as popen:
        assert last_words([popen.stderr.readline(), popen.stderr.readline()]) == ["/1", "/2"]


def test_lines_of_requests_are_collected():
    """Nothing is written before the process is killed."""
    with process("/1 /2 ask", 600) as popen:
        assert popen.stdout.readline() == b"asked\n"
        popen.kill()
        assert popen.stderr.read() == b""


def test_other_lines_are_written_at_once_after_those_before_them():
    with process("/1 warning /2 /3 error /4 ask", 600) as popen:
        assert popen.stdout.readline() == b"asked\n"
        popen.kill()
        written = popen.stderr.read().decode()
    places = [written.index(word) for word in ("/1", "warning", "/2", "/3", "error", "ValueError")]
    assert places == sorted(places)
    assert written.rstrip().endswith("ValueError: error")


def test_many_lines_are_written_before_they_are_due():
    with process(" ".join(f"/{number}" for number in range(150)) + " ask", 600) as popen:
        assert popen.stdout.readline() == b"asked\n"
        popen.kill()
        assert last_words(popen.stderr) == [f"/{number}" for number in range(100)]


def test_blocks_are_whole_lines_and_small_enough_for_a_pipe():
    lines = [f"{'深' * (number % 400)}\n" for number in range(1000)]
    found = list(blocks(lines))
    assert "".join(found) == "".join(lines)
    assert all(block.endswith("\n") and len(block.encode()) <= BLOCK_BYTES for block in found)
    assert len(found) < len(lines) / 3


class Broken:
    """A pipe whose other end has gone."""

    def write(self, _text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


class BadFormatter(logging.Formatter):
    def format(self, record):
        if record.msg == "bad":
            raise ValueError
        return super().format(record)


@pytest.fixture
def record():
    return lambda text: logging.makeLogRecord({"msg": text, "name": "gazetteer.test"})


def test_a_line_that_cannot_be_written_is_no_error_of_the_request(record, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    LineStream(Broken(), logging.Formatter()).handle(record("good"))


def test_a_line_that_cannot_be_formatted_does_not_take_others_with_it(record, capsys, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = LineStream(sys.stdout, BadFormatter())
    monkeypatch.setattr(handler, "shouldFlush", lambda record: record.msg == "last")
    for text in ("first", "bad", "last"):
        handler.handle(record(text))
    assert capsys.readouterr().out == "first\nlast\n"
