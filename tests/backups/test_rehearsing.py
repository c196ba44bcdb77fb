"""Rehearsals: a backup is restored beside everything, and where that is shown."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.auth.models import Person
from app.backups import rehearsing, services
from app.backups.archive.manifest import BadBackup
from app.backups.models import BackupProof
from app.backups.proofs import PROOF_AGE, last_proof
from app.current import settings
from app.database.engine import db
from app.database.service import run_transaction
from app.errors import NotFound
from app.health import services as health
from app.times import now
from tests.backups.contents import everything, fill
from tests.backups.test_reading import members, with_manifest, write
from tests.backups.test_restoring import of_manifest, scratch_names
from tests.factories import OPERATOR, add_person
from tests.html import Page
from tests.jobs.conftest import slow_writer

__all__ = ["slow_writer"]


@pytest.fixture(autouse=True)
def without_cache(monkeypatch):
    monkeypatch.setattr(health, "READY_SECONDS", 0)


def proofs():
    db.session.rollback()
    return list(db.session.scalars(select(BackupProof).order_by(BackupProof.id)))


def readiness(app):
    return app.test_client().get("/readyz?verbose=1").json["checks"]["backups"]


def test_a_rehearsal_proves_the_newest_backup_and_leaves_nothing(filled):
    services.create_backup(OPERATOR)
    made = services.create_backup(OPERATOR)
    before = everything()
    done = rehearsing.rehearse_backup(OPERATOR)
    assert done.name == made.name
    [proof] = proofs()
    assert (proof.name, proof.problem, proof.made_at) == (made.name, None, made.manifest.made_at)
    assert (proof.row_count, proof.file_count) == (made.manifest.database.rows, 4)
    after = everything()
    assert {**after[0], "backup_proof": []} == before[0]
    assert after[1] == before[1]
    assert scratch_names() == set()
    assert {path.name for path in settings().backup_dir.iterdir()} == {
        "lock",
        *(each.name for each in services.list_backups(OPERATOR)),
    }
    assert readiness(filled).startswith("last proven restorable ")


def test_what_is_missing_on_the_disk_since_before_is_no_failure_of_the_backup(filled):
    paths = sorted(settings().files_dir.glob("[0-9a-f][0-9a-f]/*"))
    paths[0].unlink()
    paths[1].write_bytes(b"something else")
    services.create_backup(OPERATOR)
    assert rehearsing.rehearse_backup(OPERATOR).manifest.files.missing == 1


def test_rows_that_are_not_those_of_the_backup_fail_it(dump_program, mariadb):
    fill()
    made = services.create_backup(OPERATOR)
    database = of_manifest(made.path)["database"]
    hashes = {**database["hashes"], "city": "0" * 64}
    with_manifest(made.path, database={**database, "hashes": hashes})
    with pytest.raises(BadBackup, match="table city"):
        rehearsing.rehearse_backup(OPERATOR)
    assert "table city" in last_proof().problem


def test_a_failed_rehearsal_is_stored_and_warned_of_until_one_succeeds(filled):
    made = services.create_backup(OPERATOR)
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:-2000])
    with pytest.raises(BadBackup):
        rehearsing.rehearse_backup(OPERATOR)
    assert proofs()[0].problem
    assert readiness(filled).startswith("warning: the last backup cannot be restored; no backup")
    made.path.write_bytes(whole)
    rehearsing.rehearse_backup(OPERATOR)
    assert readiness(filled).startswith("last proven restorable ")


def test_a_file_that_a_row_does_not_find_fails_it(app, monkeypatch):
    with app.app_context():
        fill()
        services.create_backup(OPERATOR)
        monkeypatch.setattr(rehearsing, "hash_of", lambda _path: "")
        with pytest.raises(BadBackup, match="not what its rows say"):
            rehearsing.rehearse_backup(OPERATOR)


def test_without_a_backup_nothing_is_stored(app):
    with app.app_context():
        with pytest.raises(NotFound):
            rehearsing.rehearse_backup(OPERATOR)
        assert proofs() == []


def make_old(**values):
    """Let the proof, or the first person, be older than PROOF_AGE."""
    moment = now() - PROOF_AGE - timedelta(hours=1)
    for model, column in values.items():
        kind = {"proof": BackupProof, "person": Person}[model]
        run_transaction(
            lambda kind=kind, column=column: db.session.execute(
                update(kind).values({column: moment})
            )
        )


@pytest.mark.parametrize("any_app", ["sqlite"], indirect=True)
def test_what_came_out_is_stored_when_others_have_written(slow_writer):
    slow_writer.write(2.5)
    rehearsing.store_proof(services.Backup(Path("a.tar"), 1), None)
    assert last_proof().name == "a.tar"


def test_no_proof_is_warned_of_when_there_is_something_to_lose(app, as_role):
    browser = as_role("admin")
    assert readiness(app) == "no backup has been proven restorable"
    assert "restorable" not in browser.get("/").text
    with app.app_context():
        make_old(person="created_at")
    assert readiness(app).startswith("warning: no backup has been proven restorable; run")
    page = Page(browser.get("/"))
    assert any("No backup has been proven restorable." in text for text in page.texts(".notice"))
    links = page.links(".notice a")
    assert links == ["/jobs/new/backup.create", "/jobs/new/backup.rehearse"]
    assert [browser.get(link).status_code for link in links] == [200, 200]
    assert "restorable" not in as_role("editor").get("/").text


def test_an_old_proof_is_warned_of(app, as_role):
    browser = as_role("admin")
    with app.app_context():
        services.create_backup(OPERATOR)
        rehearsing.rehearse_backup(OPERATOR)
    assert "last proven restorable" in browser.get("/").text
    assert not Page(browser.get("/")).texts(".notice")
    with app.app_context():
        make_old(proof="made_at")
        assert last_proof().is_due
    assert readiness(app).startswith("warning: last proven restorable ")
    assert "last proven restorable" in Page(browser.get("/")).texts(".notice")[0]


def test_the_last_proven_backup_is_not_deleted(make_app):
    app = make_app(BACKUPS_RETAINED="1")
    with app.app_context():
        proven = services.create_backup(OPERATOR).name
        rehearsing.rehearse_backup(OPERATOR)
        services.create_backup(OPERATOR)
        newest = services.create_backup(OPERATOR).name
        assert [each.name for each in services.list_backups(OPERATOR)] == [newest, proven]


def test_the_command_says_what_it_did(app, flask):
    with app.app_context():
        add_person("Ada", "editor")
        made = services.create_backup(OPERATOR)
    done = flask("backup", "rehearse")
    assert done.exit_code == 0, done.output
    assert f"{made.name} can be restored: " in done.output
    found = members(made.path)
    write(made.path, found[:-1])
    done = flask("backup", "rehearse")
    assert (done.exit_code, "altered" in done.output) == (1, True)
