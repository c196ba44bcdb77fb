"""How long the lines of confirmed imports stay, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.cities.importing.applying import parts, retention, services
from app.cities.importing.models import CityImport, ImportState
from app.database.engine import db
from app.errors import Conflict
from app.jobs.models import JobState
from app.jobs.services import retry_job
from app.times import now
from tests.cities.importing.applying.helpers import became, begin, stop_after, undo
from tests.cities.importing.staging import confirm, editor, perform, read, register, stage
from tests.jobs.conftest import read as read_job

LINES = "".join(f"a,b{i},{i}\n" for i in range(8))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of three lines."""
    monkeypatch.setattr(parts, "LINES", 3)


def make_old(*import_ids):
    """As if these had been applied 31 days ago."""
    old = update(CityImport).where(CityImport.id.in_(import_ids))
    db.session.execute(old.values(applied_at=now() - timedelta(days=31)))
    db.session.commit()


def stopped(person, monkeypatch, function="apply_part"):
    """An import whose job was stopped after its first three lines."""
    import_id = stage(person, LINES)
    if function == "undo_part":
        confirm(import_id, person)
    with monkeypatch.context() as patch:
        stop_after(patch, function, 1)
        if function == "undo_part":
            undo(import_id, person)
        else:
            begin(import_id, person)
            perform()
    return import_id


def test_the_lines_of_all_old_imports_are_deleted_at_one_look(person):
    imports = [stage(person, f"a,b{i},1\na,c{i},1\n") for i in range(3)]
    for import_id in imports:
        confirm(import_id, person)
    make_old(*imports[:2])
    assert retention.delete_old_lines() == 4
    assert [len(became(import_id)) for import_id in imports] == [0, 0, 2]


@pytest.mark.parametrize("is_deleted", [True, False])
def test_the_rest_of_an_old_import_is_not_said_to_be_imported(person, monkeypatch, is_deleted):
    """Neither before its lines are deleted, which may be while it goes on."""
    import_id = stopped(person, monkeypatch)
    make_old(import_id)
    if is_deleted:
        assert retention.delete_old_lines() == 8
    with pytest.raises(Conflict, match="neither finished nor undone"):
        services.confirm_import(editor(person), import_id, read(import_id).preview)
    with pytest.raises(Conflict, match="neither finished nor undone"):
        services.undo_import(editor(person), import_id)
    again = retry_job(editor(person), read(import_id).job_id)
    perform()
    assert read_job(again).state == JobState.FAILED
    assert (read(import_id).state, len(register())) == (ImportState.APPLYING, 3)


def test_undoing_that_was_stopped_is_not_said_to_be_finished(person, monkeypatch):
    import_id = stopped(person, monkeypatch, "undo_part")
    make_old(import_id)
    assert retention.delete_old_lines() == 8
    with pytest.raises(Conflict, match="neither finished nor undone"):
        services.undo_import(editor(person), import_id)
    again = retry_job(editor(person), read(import_id).job_id)
    perform()
    assert read_job(again).state == JobState.FAILED
    assert (read(import_id).state, len(register())) == (ImportState.UNDOING, 5)


def test_lines_stay_while_a_job_works_on_them(person):
    import_id = stage(person, LINES)
    confirm(import_id, person)
    services.undo_import(editor(person), import_id)
    make_old(import_id)
    assert retention.delete_old_lines() == 0
    assert retention.delete_piece(import_id) == 0  # it had begun in the meantime
    perform()
    assert (read(import_id).state, register()) == (ImportState.UNDONE, [])
    assert retention.delete_old_lines() == 8
