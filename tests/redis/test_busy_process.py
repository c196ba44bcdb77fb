"""A process that is busy renews its locks, and does not take Redis for absent."""

import json
import os
import subprocess
import sys

import pytest

from app.config import ROOT
from tests import servers
from tests.redis.test_lock import FIND, KEY

PATCHED = "from gevent import monkey\nmonkey.patch_all()\n"
START = """
import os, signal, sys, threading, time
from flask import Flask
from app.config import Settings
from app.redis import lock as locks
from app.redis.client import redis_store

app = Flask("test")
app.config["SETTINGS"] = Settings.load()
redis_store.init_app(app)
app.app_context().push()
locks.LEASE_SECONDS, locks.RENEW_SECONDS = 60, 0.01
"""
ACQUIRE = f"""
def acquire(key):
    lock = locks.Lock(key)
    find = redis_store.script('''{FIND}''')
    lock.held = find(keys=[key, "result"], args=[lock.token, lock.lease]) == 1
    assert lock.held
    return lock
"""

# Nothing else of the process goes on until there is a line on its standard input. In the end, its
# threads and open files are as before.
BLOCKED = f"""
def resources():
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

lock = acquire("{KEY}")
before = resources()
with lock.renewed():
    print("blocked", flush=True)
    sys.stdin.readline()
while resources() != before:
    time.sleep(0.01)
print("ended", flush=True)
"""

# A child that begins while another thread of its parent holds the guard of the locks.
FORKED = f"""
with acquire("{KEY}").renewed():
    with locks.renewal.guard:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            lock = acquire("{KEY}:child")
            redis_store.client.expire(lock.key, 30)
            with lock.renewed():
                while redis_store.client.ttl(lock.key) <= 30:
                    time.sleep(0.01)
            os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

# A request waits for Redis, which answers while another request takes longer than the time-out. The
# event loop sees some of what has arrived at once, and the rest after the time-outs: before the
# answer there is more than that. Prints what the request got.
LATE = """
import json, socket
import gevent
from gevent.monkey import get_original

client = redis_store.client
pairs = [socket.socketpair() for _number in range(200)]
for theirs, _ours in pairs:
    gevent.spawn(theirs.recv, 1)

def ask():
    try:
        return client.echo("the answer")
    except Exception as error:
        return repr(error)

def work():
    for _theirs, ours in pairs:
        ours.send(b"x")
    get_original("time", "sleep")(1)

client.client_pause(300)
gevent.sleep(0.02)  # the event loop forgets the last answer
asked = gevent.spawn(ask)
gevent.spawn(work)
print(json.dumps([asked.get(), client.breaker.failing_since]))
"""


@pytest.fixture
def run(app, site_environment):
    """Start a program with the settings of `app` and a time-out of half a second."""

    def run(program):
        environment = {**os.environ, **site_environment, "REDIS_TIMEOUT_MS": "500"}
        return subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("server", ["", PATCHED], ids=["command", "web"])
def test_a_lock_is_renewed_while_its_process_is_busy(run, store, server):
    with run(server + START + ACQUIRE + BLOCKED) as process:
        try:
            assert process.stdout.readline() == "blocked\n"
            store.expire(KEY, 30)
            servers.wait_until(lambda: store.ttl(KEY) > 30, "it is renewed", 60)
            output, _errors = process.communicate("go on\n", timeout=60)
        finally:
            process.kill()
    assert output == "ended\n"


@pytest.mark.parametrize("server", ["", PATCHED], ids=["command", "web"])
def test_a_child_process_renews_its_own_locks(run, server):
    with run(server + START + ACQUIRE + FORKED) as process:
        output, _errors = process.communicate(timeout=120)
    assert output == "7\n"


def test_an_answer_that_came_in_time_is_read_late(run):
    with run(PATCHED + START + LATE) as process:
        output, _errors = process.communicate(timeout=120)
    assert json.loads(output) == ["the answer", None]
