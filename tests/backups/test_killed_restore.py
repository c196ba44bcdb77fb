"""A restore is killed at each of its steps: what was there is there, or all that was restored."""

import os
import secrets
import signal
import subprocess
import sys

import pytest
from sqlalchemy import text

from app.actor import Actor, Role
from app.backups import maintenance, restoring, services
from app.cities import services as cities
from app.config import ROOT
from app.current import settings
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.jobs.models import JobState
from app.jobs.services import start_job
from tests import servers
from tests.backups.contents import everything
from tests.backups.test_restoring import scratch_names
from tests.cities.conftest import given
from tests.factories import OPERATOR, Browser
from tests.files.helpers import store
from tests.jobs.conftest import write

# For each line of its input, the name of a step, it begins a child that restores a backup and ends
# at that step as by `kill -9`, and prints the status of that.
PROGRAM = """
import os, signal, sys, threading
from app import create_app
from app.backups import restoring
from app.backups.databases import targets
from app.backups.placing import PlacedFiles
from app.config import Settings
from app.database.engine import db
from tests.factories import OPERATOR

def end(*_args):
    os.kill(os.getpid(), signal.SIGKILL)

def half(blocks):
    first = next(iter(blocks))
    yield first[:len(first) // 2]
    end()

def end_after_change(path):
    before = os.stat(path).st_mtime_ns
    while os.stat(path).st_mtime_ns == before:
        pass
    end()

def watch(target):
    path = f"{target.database}-wal"
    threading.Thread(target=end_after_change, args=[path], daemon=True).start()

def end_at(step, target):
    load, switch, place = target.load, target.switch, PlacedFiles.place
    if step == "load":
        target.load = lambda self, blocks: load(self, half(blocks))
    elif step == "place":
        PlacedFiles.place = lambda *args: (place(*args), end())
    elif step == "before":
        target.switch = end
    elif step == "switch":
        target.switch = lambda self: (watch(self), switch(self), end())
    elif step == "after":
        target.switch = lambda self: (switch(self), end())

app = create_app(Settings.load(), commands=True)
with app.app_context():
    is_sqlite = db.engine.dialect.name == "sqlite"
    for step in sys.stdin:
        child = os.fork()
        if child == 0:
            end_at(step.strip(), targets.SqliteTarget if is_sqlite else targets.MariaDbTarget)
            restoring.restore_backup(OPERATOR, sys.argv[1], replace=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
EDITOR = Actor(1, "Ada", Role.EDITOR)
IS_FREE = text("SELECT IS_FREE_LOCK(CONCAT('gazetteer-restore:', LEFT(SHA1(DATABASE()), 20)))")


@pytest.fixture
def kill_at(site_environment):
    """Has a restore of a backup killed at a step: kill_at(name, step)."""
    programs = {}

    def kill_at(name, step):
        if name not in programs:
            env = {**site_environment, "DATABASE_URL": settings().database_url}
            programs[name] = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, name], cwd=ROOT, env={**os.environ, **env},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        program = programs[name]
        db.session.remove()  # what it has read is locked on MariaDB
        program.stdin.write(f"{step}\n")
        program.stdin.flush()
        assert program.stdout.readline() == f"{-signal.SIGKILL}\n"
        servers.wait_until(is_free, "the server ends what the killed process did")

    yield kill_at
    for program in programs.values():
        program.communicate(timeout=60)


def is_free():
    """True if nobody restores."""
    if db.engine.dialect.name == "sqlite":
        return True
    with db.engine.connect() as connection:
        return connection.scalar(IS_FREE) == 1


def test_all_of_one_state_is_there_wherever_it_is_killed(filled, kill_at):
    is_sqlite = db.engine.dialect.name == "sqlite"
    if is_sqlite:  # so large that it writes a part before it has all in memory
        job = start_job(OPERATOR, "backup.rehearse", {})
        more = {"ended_at": DatabaseTime(), "result": secrets.token_hex(1_500_000)}
        write(job, state=JobState.DONE, **more)
    backed_up = everything()
    made = services.create_backup(OPERATOR)
    cities.create_city(EDITOR, given(province="p", city="later"))
    store(1, "later.txt", b"later")
    later = everything()
    browser = Browser(filled)
    browser.begin_session("Ada")
    for step in ("load", "place", "before"):
        kill_at(made.name, step)
        assert not maintenance.is_restoring(settings().files_dir)
        assert "later" in browser.get("/cities?province=p").text
        rows, files = everything()
        assert rows == later[0], step
        assert later[1].items() <= files.items(), step
    if is_sqlite:
        kill_at(made.name, "switch")
        assert everything()[0] in (later[0], backed_up[0])
    kill_at(made.name, "after")
    rows, files = everything()
    assert rows == backed_up[0]
    assert backed_up[1].items() <= files.items()
    restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert everything()[0] == backed_up[0]
    assert scratch_names() == set()
