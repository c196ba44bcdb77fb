"""People, tokens and browsers for tests, and helpers for statements and threads."""

import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, current_app
from redis.connection import AbstractConnection
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from app.actor import ANONYMOUS, Actor, Role
from app.auth import services as auth
from app.auth.queries import find_person, load_person
from app.auth.sessions.start import start_session
from app.auth.tokens import services as tokens
from app.database import service
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Locked
from app.history.models import HistoryEntry
from app.history.queries import newest_of_subjects
from app.history.undo import find_undoable
from app.jobs.models import Job, JobState
from app.jobs.waiting import POLL_SECONDS
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job
from app.redis.breaker import Breaker
from app.setup import services as setup
from tests.applications import PASSWORD_METHOD

OPERATOR = Actor.operator()
PASSWORD = "correct horse battery"
# Spaces that people and spreadsheets write around values and between thousands.
SPACES = " \u00a0\u2007\u2009\u202f\u3000"
# Characters that nobody sees, of every kind: format characters, fillers, variation selectors.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060"
    "\u2061\u2066\u2069\u206a\u2800\u3164\ufe0f\ufeff\uffa0\ufff9\U0001d173\U000e0001\U000e0020"
)
WAITING = text(
    "SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist"
    " ON id = trx_mysql_thread_id WHERE trx_state = 'LOCK WAIT' AND db = DATABASE()"
)
HTML = {"Accept": "text/html,application/xhtml+xml"}


@cache
def password_hash() -> str:
    """A hash of PASSWORD that is cheaper than a real one, which takes 250 ms at each sign-in."""
    return generate_password_hash(PASSWORD, PASSWORD_METHOD)


@unrecorded
def add_person(name: str, role: str = "viewer") -> int:
    """Create a person who signs in with PASSWORD; returns the id."""
    return auth.insert_person(auth.NewPerson(name, Role(role), password_hash())).id


def claim(name: str, with_sample: bool = False) -> int:
    """Claim a new installation with its link, inside an application context; returns the id of the
    first administrator, who signs in with PASSWORD."""
    token = setup.create_link_path().rpartition("/")[2]
    return setup.claim(ANONYMOUS, token, "192.0.2.1", name, PASSWORD, with_sample)


def actor_of(person_id: int) -> Actor:
    """A person as an actor on a page. Needs an application context."""
    person = load_person(person_id)
    return Actor(person.id, person.name, Role(person.role))


def add_token(person_id: int, label: str = "script") -> str:
    """Create an API token and return it. Needs an application context."""
    return tokens.store_token(actor_of(person_id), label)


def csrf_token(page: str) -> str:
    """The CSRF token in the first form of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, f"no form in {page}"
    return found[1]


class Browser:
    """A test client that behaves like a browser: accepts HTML, stores cookies, and sends forms with
    the CSRF token of their page."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Request a page."""
        kwargs.setdefault("headers", HTML)
        return self.client.get(path, **kwargs)

    def token(self, path: str) -> str:
        """Request a page and return its CSRF token."""
        return csrf_token(self.get(path).text)

    def submit(self, path: str, data: Any = None, page: str | None = None, **kwargs: Any) -> Any:
        """Send a form to `path` with the CSRF token of `page`, by default the page at `path`."""
        kwargs.setdefault("headers", HTML)
        fields = {"csrf_token": self.token(page or path), **(data or {})}
        return self.client.post(path, data=fields, **kwargs)

    def begin_session(self, name: str) -> None:
        """Be signed in without the requests of signing in, which take longer than most tests."""
        request = self.app.test_request_context(environ_base=self.client.environ_base)
        with self.client.session_transaction() as session, request:
            person = find_person(name)
            assert person, f"nobody is called {name}"
            session.opened = True  # type: ignore[attr-defined]
            start_session(session, person)

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        """Sign in; fails the test if that is refused."""
        response = self.submit("/login", {"name": name, "password": password})
        assert response.status_code == 303, response.text
        return response  # type: ignore[no-any-return]


def entries(*kinds: str) -> list[HistoryEntry]:
    """The entries of the history about these kinds of subject, or about all, the oldest first; in
    a new transaction. Needs an application context."""
    db.session.rollback()
    query = select(HistoryEntry).order_by(HistoryEntry.id)
    if kinds:
        query = query.where(HistoryEntry.subject_kind.in_(kinds))
    return list(db.session.scalars(query))


def run_command(app: Flask, *words: object, typed: str = "") -> Result:
    """Run a command of an application with text on its standard input."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=[str(word) for word in words], input=typed)


def do_imports() -> None:
    """Do the jobs of imports that wait, as a worker does; without any, wait as a request does."""
    waiting = (Job.about_kind == "import", Job.state == JobState.QUEUED)
    ids = list(db.session.scalars(select(Job.id).where(*waiting)))
    db.session.rollback()
    beats = Beats(current_app._get_current_object())  # type: ignore[attr-defined]
    for job_id in ids:
        run_job(job_id, beats, lambda: False)
    if not ids:
        time.sleep(POLL_SECONDS)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Record the statements that are sent to the database within the block, with their values.
    Needs an application context."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        sent.append((statement, values))

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def too_slow(app: Flask, is_slow: Callable[[str], object]) -> Iterator[list[str]]:
    """Statements that are slow are ended, as by the time limit; yields those that were."""
    ended: list[str] = []

    def end(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if is_slow(statement):
            ended.append(statement)
            error = sqlite3.OperationalError("interrupted")
            error.sqlite_errorcode = sqlite3.SQLITE_INTERRUPT
            raise OperationalError(statement, {}, error)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", end)
    try:
        yield ended
    finally:
        event.remove(engine, "before_cursor_execute", end)


@contextmanager
def connections_held(app: Flask) -> Iterator[list[int]]:
    """Of each command that the application sends to Redis in this block, how many connections to
    the database are checked out at that moment; for one request at a time."""
    with app.app_context():
        pool: Any = db.engine.pool
    held: list[int] = []
    send = AbstractConnection.send_packed_command

    def note_and_send(*args: Any, **kwargs: Any) -> Any:
        held.append(pool.checkedout())
        return send(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", note_and_send)
        yield held


@contextmanager
def without_redis(app: Flask) -> Iterator[None]:
    """Redis is away during this block."""
    present = app.extensions["redis"]
    absent = present.__class__.from_url("unix:///nowhere.sock")
    absent.breaker = Breaker()
    app.extensions["redis"] = absent
    app.extensions["redis-scripts"].clear()
    try:
        yield
    finally:
        app.extensions["redis"] = present
        app.extensions["redis-scripts"].clear()
        absent.close()


def note_calls(patch: pytest.MonkeyPatch, owner: Any, name: str) -> list[tuple[Any, ...]]:
    """Wrap a function; returns a list that gets the arguments of each call from now on."""
    calls: list[tuple[Any, ...]] = []
    function = getattr(owner, name)

    def note(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return function(*args, **kwargs)

    patch.setattr(owner, name, note)
    return calls


def waits_on_mariadb() -> bool:
    """True if a transaction of this database waits for a lock of another one."""
    if db.engine.dialect.name == "sqlite":
        return False
    with db.engine.connect() as connection:
        return bool(connection.scalar(WAITING))


def again_while_locked(work: Callable[[], Any]) -> Any:
    """Call `work` as people do: on a busy machine the other one may hold its rows for longer than
    MariaDB waits for a lock."""
    for _ in range(20):
        with suppress(Locked):
            return work()
    return work()


@contextmanager
def coming_between(
    app: Flask, owner: Any, name: str, work: Callable[[], Any]
) -> Iterator[list[Any]]:
    """Let another request come between: when a function is called for the first time in this block,
    `work` begins in another thread, and the function goes on when that has ended or waits for a
    lock. The list then has its result, or its exception."""
    results: list[Any] = []
    function = getattr(owner, name)
    is_busy = threading.Event()  # the other has found SQLite's only writer at work

    def run() -> None:
        with app.app_context():
            try:
                results.append(again_while_locked(work))
            except Exception as error:
                results.append(error)

    other = threading.Thread(target=run)
    turn_to_write = service.turn_to_write

    def notice_and_wait(*args: Any) -> Any:
        if service.write_lock.locked() and threading.current_thread() is other:
            is_busy.set()
        return turn_to_write(*args)

    def call(*args: Any, **kwargs: Any) -> Any:
        if other.ident is None:
            other.start()
            # MariaDB looks for waiting transactions only if it was not asked in the last 0.1 s.
            while other.is_alive() and not is_busy.is_set() and not waits_on_mariadb():
                other.join(0.15)
        return function(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, call)
        patch.setattr(service, "turn_to_write", notice_and_wait)
        yield results
    other.join(120)
    assert not other.is_alive(), "it hangs"


def at_once(app: Flask, *works: Callable[[], Any]) -> list[Any]:
    """Run functions concurrently, each in its own thread and application context; returns the
    result of each, or the exception that it raised."""
    together = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(index: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            together.wait(60)
            try:
                results[index] = work()
            except Exception as error:
                results[index] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "it hangs"
    return results


def any_undoable(actor: Actor, chance: random.Random, *kinds: str) -> HistoryEntry | None:
    """A random one of the entries about these kinds that the actor can undo now, detached."""
    newest = newest_of_subjects(entries(*kinds))
    able = find_undoable(actor, newest)
    if not (found := [each for each in newest if each.id in able]):
        return None
    entry = chance.choice(found)
    db.session.expunge(entry)
    db.session.rollback()
    return entry
