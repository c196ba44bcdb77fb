"""The `flask` commands."""

import os
from fnmatch import fnmatch

import pytest
from sqlalchemy import select, update

from app.cities.models import City
from app.config import ROOT
from app.database.engine import db
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


@pytest.mark.parametrize("name", ["messages.mo", "messages.mo.new"])
def test_git_ignores_what_make_dev_compiles(name):
    patterns = (ROOT / ".gitignore").read_text().split()
    assert any(fnmatch(name, pattern) for pattern in patterns)
