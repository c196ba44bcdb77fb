"""`flask reload`: nothing unchecked reaches the running web processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from app.cli.reload import report_other_programs, restart_program
from app.config import ROOT, Settings
from tests import servers
from tests.deploy.conftest import ONE_WORKER
from tests.deploy.test_supervisor import workers

RELEASE = ("app", "templates", "static", "migrations", "translations", "gunicorn.conf.py")


@pytest.fixture
def settings_file(running: servers.Instance) -> Path:
    """The env file of the instance, with one worker and nothing else."""
    path = running.folder.parent / "env"
    path.write_text(ONE_WORKER)
    return path


def reload(
    running: servers.Instance, release: Path = ROOT, **env: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command in the folder of a release, as an operator of this instance does."""
    given = {
        "ENV_FILE": str(running.folder.parent / "env"),
        "INSTANCE": str(running.folder),
        "PORT": str(running.port),
        **env,
    }
    return subprocess.run(
        [sys.executable, "-m", "flask", "reload"], cwd=release, env={**os.environ, **given},
        check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip


def test_reload_applies_settings_when_all_is_well(running, settings_file):
    others = {name: running.supervisorctl("pid", name).strip() for name in ("clock", "worker")}
    before = workers(running)
    asked = requests.get(f"{running.base}/cities", timeout=60).status_code
    settings_file.write_text(f"PUBLIC_READ={int(asked == 401)}\n{ONE_WORKER}")
    done = reload(running)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "This release starts and is ready. The workers are being replaced ...",
        "All web processes use it now.",
    ]
    assert len(workers(running)) == 1
    assert not workers(running) & before
    for name, before_it in others.items():
        assert running.supervisorctl("pid", name).strip() not in ("0", before_it)
    again = requests.get(f"{running.base}/cities", timeout=60).status_code
    assert {asked, again} == {200, 401}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("WEB_WORKERS=0", "WEB_WORKERS must be a whole number"),
        ("DATABASE_URL=mysql://u:p@127.0.0.1:1/gz\nSECRET_KEY=" + "k" * 32, "database does not"),
        ("HOST=192.0.2.1", "Not reloaded. It is not possible to listen on 192.0.2.1:"),
    ],
)
def test_settings_that_do_not_work_change_nothing(running, settings_file, line, sentence):
    before = workers(running)
    settings_file.write_text(f"{line}\n")
    done = reload(running)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert workers(running) == before
    assert servers.answers(running.base)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("app/wsgi.py", "import gazetteer_without_this"),
        pytest.param("app/health/views.py", "def", marks=pytest.mark.soak),  # as the one above
        ("gunicorn.conf.py", "def"),
        pytest.param(  # it starts and is not ready, as with a database that is away
            "migrations/versions/9999_next.py",
            "revision = '9999'\ndown_revision = '0001'",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_a_release_that_does_not_work_changes_nothing(running, settings_file, folder, module, text):
    for name in RELEASE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / module).write_text(text)
    before = workers(running)
    assert reload(running, folder).returncode != 0
    assert workers(running) == before
    assert servers.answers(running.base)


def test_reload_names_the_programs_that_supervisor_has_to_update(running, capsys):
    config = running.folder / "supervisor.conf"
    settings = Settings.load({"INSTANCE": str(running.folder)})
    before = config.read_text()
    config.write_text(before + "[program:another]\ncommand = sleep 60\nautostart = false\n")
    try:
        report_other_programs(settings)
    finally:
        config.write_text(before)
    assert (
        "supervisorctl update: supervisor.conf has changed for another" in capsys.readouterr().out
    )


def test_reload_sends_the_signal_if_the_log_is_elsewhere(running, settings_file):
    before = workers(running)
    log = running.folder / "log" / "web.log"
    log.rename(log.with_name("elsewhere.log"))
    try:
        done = reload(running)
    finally:
        log.with_name("elsewhere.log").rename(log)
    assert done.returncode == 0
    assert "The result is unknown" in done.stdout
    servers.wait_until(
        lambda: len(workers(running)) == 1 and not workers(running) & before, "all are new"
    )


def test_reload_says_that_web_is_not_running(running, settings_file):
    running.supervisorctl("stop", "web")
    done = reload(running)
    assert done.returncode == 2
    assert "The program web is STOPPED" in done.stderr
    assert "started" in running.supervisorctl("start", "web")
    servers.wait_until(
        lambda: len(workers(running)) == 1 and servers.answers(running.base), "it runs"
    )


def test_reload_says_that_nothing_is_running(running, settings_file, folder):
    done = reload(running, INSTANCE=str(folder))
    assert done.returncode == 2
    assert done.stderr == f"Error: Gazetteer is not running in {folder}.\n"


def test_reload_starts_a_clock_that_has_ended(running):
    running.supervisorctl("stop", "clock")
    restart_program(Settings.load({"INSTANCE": str(running.folder)}), "clock")
    assert running.supervisorctl("pid", "clock").strip() != "0"


def test_reload_starts_a_program_that_this_release_has_added(running):
    config = running.folder / "supervisor.conf"
    before = config.read_text()
    config.write_text(before + "[program:another]\ncommand = sleep 60\nautostart = false\n")
    try:
        restart_program(Settings.load({"INSTANCE": str(running.folder)}), "another")
        assert running.supervisorctl("pid", "another").strip() != "0"
        running.supervisorctl("stop", "another")
        running.supervisorctl("remove", "another")
    finally:
        config.write_text(before)


def test_reload_reports_a_clock_that_does_not_start(folder, capsys):
    restart_program(Settings.load({"INSTANCE": str(folder)}), "clock")
    assert "The program clock was not started: " in capsys.readouterr().err
