"""The programs `worker` and `clock` with a kind of the tests, which counts its effects:
python -m tests.jobs.programs worker|clock."""

import os
import runpy
import sys
import time
from functools import partial

from celery import signals
from sqlalchemy import func, insert, select
from sqlalchemy.schema import Column, MetaData, Table
from sqlalchemy.types import BigInteger, Integer

from app.actor import Role
from app.database.engine import db
from app.database.service import unrecorded
from app.jobs.kinds import JobKind
from app.jobs.run import Run
from app.jobs.shared import work

STEP_SECONDS = 0.02
# One row for each step that was done; nothing but the guard prevents a second one.
EFFECTS = Table("effect", MetaData(), Column("job_id", BigInteger), Column("step", Integer))


def count_done(run: Run) -> int:
    own = EFFECTS.c.job_id == run.id
    return db.session.scalar(select(func.count()).select_from(EFFECTS).where(own)) or 0


@unrecorded
def do_step(run: Run) -> int:
    """Do the next step; returns how many are done."""
    done = count_done(run)
    db.session.execute(insert(EFFECTS).values(job_id=run.id, step=done))
    time.sleep(STEP_SECONDS)  # so that kills come in the middle of a transaction
    run.guard()
    return done + 1


def count_steps(run: Run) -> str:
    done = count_done(run)  # a process that did the last step may have been killed after it
    while done < run.args["steps"]:
        done = do_step(run)
        run.report(done, run.args["steps"])
    return str(done)


STEPS = JobKind("steps", "Steps", count_steps, Role.ADMIN)
NOTHING = JobKind("nothing", "Nothing", lambda _run: None, Role.ADMIN)
work.KINDS = (*work.KINDS, STEPS, NOTHING)

if __name__ == "__main__":
    program = sys.argv.pop()
    if program == "clock":
        sys.argv.append(program)
        runpy.run_module("flask", run_name="__main__")
    else:
        slow = partial(time.sleep, float(os.environ.get("CHILD_START_SECONDS", "0")))
        signals.worker_process_init.connect(lambda **_signal: slow(), weak=False)
        runpy.run_module("app.jobs.worker", run_name="__main__")
