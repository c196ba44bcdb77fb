"""The `flask` commands."""

import os
import stat
from fnmatch import fnmatch

import pytest
from sqlalchemy import select, update

from app.cities.models import City
from app.cli import progress, run
from app.config import ROOT, Settings
from app.database import stored_keys
from app.database.engine import db
from tests import servers
from tests.cities.conftest import add_cities
from tests.factories import run_command


def test_former_name_of_the_release_check_is_not_listed(flask):
    listed = [line.split()[0] for line in flask("--help").output.splitlines() if line.strip()]
    assert "check-release" in listed
    assert "try" not in listed
    assert "Start this release beside the running one" in flask("try", "--help").output


def test_prepare_recomputes_keys_that_another_release_stored(app, flask):
    with app.app_context():
        add_cities(("Zürich", "Bülach", 1))
        db.session.execute(update(City).values(search_key="zürich\nbülach"))
        db.session.commit()
        done = flask("prepare")
        assert done.exit_code == 0, done.output
        db.session.rollback()
        assert db.session.scalar(select(City.search_key)) == "zurich\nbulach"


def test_prepare_says_how_far_it_is(app, flask, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0)
    monkeypatch.setattr(stored_keys, "AT_ONCE", 2)
    with app.app_context():
        add_cities(*(("p", f"c{number}", number) for number in range(3)))
        done = flask("prepare")
    assert [line for line in done.stderr.splitlines() if "of city" in line] == [
        "search keys of city: 0 of 3 (0 %)",
        "search keys of city: 2 of 3 (66 %)",
        "search keys of city: 3 of 3 (100 %)",
    ]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_prepare_closes_a_folder_that_everybody_can_read(make_app, tmp_path):
    """The folder was made before; what is in it was written by an earlier release."""
    instance, before = tmp_path / "instance", os.umask(0o022)
    try:
        app = make_app(own=True, commands=True, INSTANCE=str(instance), DATABASE_URL="")
        assert os.umask(0o022) == 0o027, "what a process writes is not for others"
        for folder in ("log", "files/ab"):
            (instance / folder).mkdir(parents=True)
        database = instance / "gazetteer.sqlite"
        database.touch()
        (instance / "gazetteer.sqlite-wal").touch()
    finally:
        os.umask(before)
    assert (mode(instance), mode(database)) == (0o755, 0o644)
    done = run_command(app, "prepare")
    assert done.exit_code == 0, done.output
    assert mode(instance) == 0o755, "it may hold files of others"
    assert {mode(path) for path in instance.glob("gazetteer.sqlite*")} == {0o600}
    assert [mode(instance / name) for name in ("log", "files")] == [0o750, 0o750]


def test_prepare_names_the_missing_folder_of_the_database(make_app):
    app = make_app(commands=True, DATABASE_URL="sqlite:////nowhere/x.sqlite")
    done = run_command(app, "prepare")
    assert done.exit_code == 2
    assert "/nowhere cannot be opened: No such file or directory. See DATABASE_URL." in done.output


@pytest.mark.parametrize(
    "words", [["prepare"], ["list-users"], ["history", "prune", "--before", "2020-01-01"]]
)
def test_command_of_another_account_is_refused(app, flask, monkeypatch, words):
    settings = app.config["SETTINGS"]
    settings.instance.mkdir(exist_ok=True)
    owner = settings.instance.stat().st_uid
    assert flask("list-users").exit_code == 0
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    result = flask(*words)
    assert result.exit_code == 1
    assert f"Error: {settings.instance} belongs to " in result.output
    assert "run this command with `sudo -u " in result.output


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "::", "PORT": "80"}, "http://[::1]:80"),
        ({"SECURE": "1"}, "https://YOUR-HOST-NAME"),
        ({"SECURE": "1", "TRUSTED_HOSTS": "a.example.org,b.example.org"}, "https://a.example.org"),
    ],
)
def test_the_printed_address_is_one_that_works(settings, expected):
    assert run.address(Settings.load(settings)) == expected


def test_what_takes_long_to_start_is_not_called_not_ready(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, "HINT_SECONDS", -1)
    settings = Settings.load({"INSTANCE": str(tmp_path), "PORT": str(servers.free_port())})
    assert not run.wait_until_ready(settings, iter((True, True, False)).__next__)
    said = f"Still starting: no answer. See the logs in {tmp_path}/log.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", ["messages.mo", "messages.mo.new"])
def test_git_ignores_what_make_dev_compiles(name):
    patterns = (ROOT / ".gitignore").read_text().split()
    assert any(fnmatch(name, pattern) for pattern in patterns)
