"""Work in small pieces yields to the other requests of a worker, but not after every piece."""

import json
import subprocess
import sys

from app.concurrency import WORK_SECONDS
from app.config import ROOT

PIECE = 0.0004  # seconds; a block of an upload

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


def test_sockets_are_polled_every_few_milliseconds():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    idle, spent, turns = json.loads(result.stdout)
    assert idle < 200
    # Each of the others may have started a piece.
    assert spent[-1] < WORK_SECONDS + 10 * PIECE
    assert len(spent) > sum(spent) / (WORK_SECONDS + 10 * PIECE)
    assert min(turns) > 5
