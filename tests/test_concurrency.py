"""Work in small pieces yields to the other requests of a worker, but not after every piece."""

import json
import subprocess
import sys

from app.concurrency import WORK_SECONDS
from app.config import ROOT

PIECE = 0.0004  # seconds; a block of an upload

# Prints whether somebody whose request arrives while others work is served as soon as these yield.
POLL = f"""
from gevent import monkey
monkey.patch_all()
import json, socket, time
import gevent
from app.concurrency import yield_to_hub

client, server = socket.socketpair()
waiting = gevent.spawn(server.recv, 1)
gevent.sleep(0.01)
yield_to_hub()
client.send(b"x")
start = time.monotonic()
while time.monotonic() - start < {WORK_SECONDS}:
    pass
yield_to_hub()
print(json.dumps(waiting.ready()))
"""

# Prints how many iterations of the loop 2,000 calls without work between them take; the CPU time
# that eight concurrent uploads use in each iteration; and how often each of them yielded.
PROGRAM = f"""
from gevent import monkey
monkey.patch_all()
import json, time
import gevent
from app.concurrency import yield_to_hub

loop = gevent.get_hub().loop
begun = time.process_time(), loop.iteration
for _ in range(2000):
    yield_to_hub()
idle = loop.iteration - begun[1]

spent, turns = {{}}, [0] * 8

def upload(number):
    for _ in range(100):
        turn, start = loop.iteration, time.process_time()
        while time.process_time() - start < {PIECE}:
            pass
        spent[turn] = spent.get(turn, 0) + time.process_time() - start
        yield_to_hub()
        turns[number] += turn != loop.iteration

gevent.joinall([gevent.spawn(upload, number) for number in range(8)], raise_error=True)
print(json.dumps([idle, sorted(spent.values()), turns]))
"""

# Prints what a killed request did while its thread worked, and what became of it.
KILLED = """
from gevent import monkey
monkey.patch_all()
import json, os
import gevent
from app.concurrency import finish_in_thread

done, started, (wait, release) = [], [], os.pipe()

def work():
    started.append(1)
    os.read(wait, 1)
    done.append("worked")

def request():
    try:
        finish_in_thread(work)
    finally:
        done.append("ended")

killed = gevent.spawn(request)
while not started:
    gevent.sleep(0.01)
killed.kill(block=False)
gevent.sleep(0.01)
os.write(release, b"x")
killed.join()
print(json.dumps([done, type(killed.value).__name__, finish_in_thread(lambda: 7)]))
"""


def run(program):
    command = [sys.executable, "-c", program]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def test_who_came_during_the_work_is_served_when_it_yields():
    assert run(POLL)


def test_sockets_are_polled_every_few_milliseconds():
    idle, spent, turns = run(PROGRAM)
    assert idle < 200
    # Each of the others may have started a piece.
    assert spent[-1] < WORK_SECONDS + 10 * PIECE
    assert len(spent) > sum(spent) / (WORK_SECONDS + 10 * PIECE)
    assert min(turns) > 5


def test_killed_request_ends_after_the_thread_that_works_for_it():
    assert run(KILLED) == [["worked", "ended"], "GreenletExit", 7]
