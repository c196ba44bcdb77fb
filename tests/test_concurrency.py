"""Work in small pieces lets the other requests of a worker run, but not after every piece."""

import json
import subprocess
import sys

from app.concurrency import WORK_SECONDS
from app.config import ROOT

PIECE = 0.0004  # seconds; a block of an upload

# How long 2,000 calls without work between them take; the most processor time that eight uploads
# take together before the loop looks at its sockets again; and how often each had its turn.
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


def test_the_loop_looks_at_its_sockets_every_few_milliseconds_of_work():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    idle, spent, turns = json.loads(result.stdout)
    assert idle < 200
    # Each of the others may have begun a piece.
    assert spent[-1] < WORK_SECONDS + 10 * PIECE
    assert len(spent) > sum(spent) / (WORK_SECONDS + 10 * PIECE)
    assert min(turns) > 5
