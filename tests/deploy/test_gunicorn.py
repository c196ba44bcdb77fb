"""gunicorn.conf.py: what a reload, a new release and a killed process cost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests import servers
from tests.site import under_load

# A release that waits while there is a file `closed`. It is a small application: ours would take a
# second of computing in each worker.
RELEASE = """
import os, time
from pathlib import Path
folder = Path(__file__).parent
if (folder / "closed").exists():
    (folder / f"loading-{os.getpid()}").touch()
while (folder / "closed").exists():
    time.sleep(0.05)
(folder / f"loaded-{os.getpid()}").touch()
def app(environ, start_response):
    status = "404 Not Found" if environ["PATH_INFO"] == "/nothing" else "200 OK"
    start_response(status, [("Content-Length", "2")])
    return [b"ok"]
"""


@dataclass
class Web:
    """gunicorn with a release and an env file that a test can change."""

    folder: Path
    base: str
    settings: dict[str, str]
    skipped: int = 0  # so much of the log is of earlier tests

    @property
    def master(self) -> int:
        """The process id of the master process."""
        return int((self.folder / "instance" / "gunicorn.pid").read_text())

    def workers(self) -> set[int]:
        """The process ids of the workers."""
        return servers.children(self.master)

    def hup(self) -> None:
        """Send HUP to the master process."""
        os.kill(self.master, signal.SIGHUP)

    def noted(self, state: str) -> set[int]:
        """The process ids of the workers that have noted this state of their release: "loading"
        if they wait in it, "loaded" afterwards."""
        return {int(path.name.split("-")[1]) for path in self.folder.glob(f"{state}-*")}

    def log(self) -> str:
        """What gunicorn and its workers have written during the test."""
        return (self.folder / "log").read_text()[self.skipped :]

    def skip_log(self) -> None:
        """Let `log` begin here."""
        self.skipped += len(self.log())

    def ask(self, client: requests.Session) -> requests.Response:
        """Request a page."""
        return client.get(self.base, timeout=60)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Web]:
    """gunicorn with two workers."""
    (folder / "release.py").write_text(RELEASE)
    settings = {
        "INSTANCE": str(folder / "instance"),
        "ENV_FILE": str(folder / "env"),
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORT": str(servers.free_port()),
    }
    (folder / "env").touch()
    with servers.gunicorn_server(settings, folder / "log", "release:app", options=options) as base:
        web = Web(folder, base, settings)
        servers.wait_until(lambda: len(web.noted("loaded")) == 2, "both workers run")
        yield web


@pytest.fixture
def web(folder: Path, request: pytest.FixtureRequest) -> Iterator[Web]:
    """One for a test that kills it, with the options that the test gives as a parameter."""
    with running(folder, *getattr(request, "param", ())) as web:
        yield web


@pytest.fixture(scope="module")
def running_web() -> Iterator[Web]:
    """The one that other tests share."""
    with servers.short_folder("deploy") as folder, running(folder) as web:
        yield web


@pytest.fixture
def shared(running_web: Web) -> Web:
    """The shared one, with a release and an env file that work, and two workers."""
    (running_web.folder / "release.py").write_text(RELEASE)
    (running_web.folder / "env").write_text("")
    running_web.skip_log()
    if len(running_web.workers()) != 2:
        running_web.hup()
        servers.wait_until(lambda: "All workers were replaced" in running_web.log(), "both run")
        running_web.skip_log()
    return running_web


# gunicorn.conf.py of the previous release has gunicorn's own workers. The first HUP replaces them.
@pytest.mark.parametrize("web", [(), ("--worker-class", "gevent")], indirect=True)
def test_hup_replaces_workers_one_at_a_time(web):
    before = web.workers()
    (web.folder / "closed").touch()
    with under_load(4, web.ask) as answers:
        web.hup()
        servers.wait_until(lambda: web.noted("loading"), "a new worker loads the code")
        for _ in range(20):  # those of an impatient operator are one reload
            web.hup()
        servers.wait_until(lambda: web.log().count("Hang up") > 1, "another HUP arrives")
        answered = sum(answers.values())
        servers.wait_until(lambda: sum(answers.values()) > answered + 50, "the old ones answer")
        assert web.workers() == before | web.noted("loading")
        assert len(web.noted("loading")) == 1
        (web.folder / "closed").unlink()
        servers.wait_until(lambda: "All workers were replaced" in web.log(), "all are new")
    assert set(answers) == {200}
    assert len(web.workers()) == 2
    assert not web.workers() & before


BROKEN_RELEASES = {
    "syntax": "def",
    "import": "import gazetteer_without_this",
    "exit": "raise SystemExit(1)",
    "killed": "import os; os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("code", BROKEN_RELEASES.values(), ids=BROKEN_RELEASES)
def test_a_release_that_cannot_start_changes_nothing(shared, code):
    before = shared.workers()
    (shared.folder / "release.py").write_text(code)
    shared.hup()
    servers.wait_until(lambda: "Reload stopped: a new worker cannot" in shared.log(), "it says so")
    assert shared.workers() == before
    assert servers.answers(shared.base)


def test_the_next_release_is_used_after_a_broken_one(shared):
    before = shared.workers()
    (shared.folder / "release.py").write_text("def")
    shared.hup()
    servers.wait_until(lambda: "Reload stopped: a new worker cannot" in shared.log(), "it says so")
    (shared.folder / "release.py").write_text(RELEASE)
    shared.hup()
    servers.wait_until(lambda: "All workers were replaced" in shared.log(), "all are new")
    assert len(shared.workers()) == 2
    assert not shared.workers() & before


def test_with_a_broken_release_the_last_worker_goes_on(web):
    before = web.workers()
    (web.folder / "release.py").write_text("def")
    web.hup()
    servers.wait_until(lambda: web.log().count("Reload stopped") == 1, "it says so")
    last = before.pop()
    os.kill(before.pop(), signal.SIGKILL)
    servers.wait_until(lambda: web.log().count("Reload stopped") == 2, "it is not replaced")
    assert web.workers() == {last}
    assert servers.answers(web.base)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("WEB_WORKERS=0", "WEB_WORKERS must be"),
        ("LOG_LEVEL=loud", "LOG_LEVEL must be"),
        ("HOST=192.0.2.1", "It is not possible to listen on 192.0.2.1:"),
        ("DATABASE_URL=mysql://u@h/d", "SECRET_KEY must be set"),
    ],
)
def test_settings_that_cannot_be_used_change_nothing(shared, line, sentence):
    before = shared.workers()
    (shared.folder / "env").write_text(f"{line}\n")
    shared.hup()
    servers.wait_until(lambda: f"Not reloaded. {sentence}" in shared.log(), "it says so")
    assert shared.workers() == before
    assert servers.answers(shared.base)


def test_the_next_settings_are_used_after_bad_ones(shared):
    before = shared.workers()
    (shared.folder / "env").write_text("WEB_WORKERS=0\n")
    shared.hup()
    servers.wait_until(lambda: "Not reloaded." in shared.log(), "it says so")
    (shared.folder / "env").write_text("WEB_WORKERS=1\n")
    shared.hup()
    servers.wait_until(
        lambda: len(shared.workers()) == 1 and not shared.workers() & before, "they are used"
    )
    assert servers.answers(shared.base)


def test_workers_of_a_killed_master_answer_until_there_is_another(web):
    before, killed = web.workers(), web.master
    with under_load(4, web.ask) as answers:
        os.kill(killed, signal.SIGKILL)
        with servers.gunicorn_server(web.settings, web.folder / "second", "release:app"):
            servers.wait_until(
                lambda: web.master != killed and len(web.workers()) == 2, "another one runs"
            )
            servers.wait_until(lambda: not any(map(is_running, before)), "the old ones end")
            answered = sum(answers.values())
            servers.wait_until(lambda: sum(answers.values()) > answered + 50, "new ones answer")
            assert set(answers) == {200}


def test_a_master_without_supervisor_is_replaced(web):
    first = web.master
    with servers.gunicorn_server(web.settings, web.folder / "second", "release:app"):
        servers.wait_until(lambda: not is_running(first), "the first one ends")
        assert web.master != first
        servers.wait_until(lambda: len(web.workers()) == 2, "the second one runs")
        assert servers.answers(web.base)
        assert f"Master {first} has no supervisor" in (web.folder / "second").read_text()


def test_a_port_that_another_installation_uses_is_left_to_it(shared):
    other = {**shared.settings, "INSTANCE": str(shared.folder / "other")}
    with (
        pytest.raises(AssertionError, match="Connection in use"),
        servers.gunicorn_server(other, shared.folder / "second", "release:app", health="/nothing"),
    ):
        pass
    assert servers.answers(shared.base)


def is_running(pid: int) -> bool:
    """True for the process id of a running process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
