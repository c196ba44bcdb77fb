"""The folder that an operator fills: what is certain is imported, the rest waits or is refused."""

import errno
import fcntl
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cities.importing import incoming
from app.cities.importing.applying.services import confirm_import
from app.cities.importing.incoming import DONE, REFUSED, WORKING, import_folder
from app.cities.importing.models import LIFE, CityImport, ImportState
from app.cities.importing.services import cancel_import
from app.database.engine import db
from app.history.models import HistoryEntry
from app.schedules import shipped
from app.times import now
from tests.cities.conftest import stored
from tests.factories import actor_of, add_person, do_imports
from tests.html import Page

GOOD = "province,city,number\n广东,深圳市,1\n广东,广州市,2\n"


@pytest.fixture
def place(make_app, tmp_path, monkeypatch):
    """The folder, in the context of an application that has it."""
    monkeypatch.setattr(incoming, "SETTLED_SECONDS", 0)
    folder = tmp_path / "incoming"
    folder.mkdir()
    app = make_app(IMPORT_DIR=str(folder))
    with app.app_context():
        yield folder
        db.session.rollback()


@pytest.fixture
def admin(place):
    return actor_of(add_person("admin", "admin"))


def imports():
    db.session.rollback()
    return db.session.scalars(select(CityImport).order_by(CityImport.id)).all()


def look():
    """What the clock does, and then a worker."""
    count = import_folder()
    do_imports()
    return count


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_that_is_certain_is_imported(place):
    (place / "towns.csv").write_text(GOOD)
    assert look() == 1
    assert names(place / WORKING) == ["1-towns.csv"]
    [found] = imports()
    assert (found.person_id, found.state, found.file_name) == (None, "staged", "towns.csv")
    assert stored() == []
    assert look() == 0
    assert {row[2] for row in stored()} == {"深圳市", "广州市"}
    assert look() == 1
    assert names(place) == [DONE, REFUSED, WORKING]
    assert names(place / DONE) == ["1-towns.csv", "1-towns.csv.txt"]
    text = (place / DONE / "1-towns.csv.txt").read_text()
    assert text == "Cities added: 2. Changed: 0. Lines that were skipped: 0.\n"
    assert (place / DONE / "1-towns.csv").read_text() == GOOD
    assert look() == 0
    via = db.session.scalars(select(HistoryEntry.via).where(HistoryEntry.action == "city.create"))
    assert set(via) == {"schedule"}


def test_refused_lines_wait_for_an_administrator(place, admin):
    (place / "towns.csv").write_text(f"{GOOD},无名,3\n")
    for _ in range(3):
        look()
    assert names(place / WORKING) == ["1-towns.csv"]
    assert stored() == []
    [found] = imports()
    assert (found.state, found.lines_refused) == ("staged", 1)
    confirm_import(admin, found.id, found.preview)
    do_imports()
    assert look() == 1
    assert "Cities added: 2" in (place / DONE / "1-towns.csv.txt").read_text()


@pytest.mark.parametrize("cancelled", [True, False])
def test_what_is_not_certain_waits_until_somebody_ends_it(place, admin, cancelled):
    (place / "list.csv").write_text("广东,深圳市,1\n")
    for _ in range(3):
        look()
    [found] = imports()
    assert found.state == ImportState.STORED
    assert names(place / WORKING) == ["1-list.csv"]
    if cancelled:
        cancel_import(admin, found.id)
    else:
        found.created_at = now() - LIFE - timedelta(minutes=1)
        db.session.commit()
    assert look() == 1
    assert names(place / REFUSED) == ["1-list.csv", "1-list.csv.txt"]
    assert "it was cancelled" in (place / REFUSED / "1-list.csv.txt").read_text()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "The file is empty."), (b"<!doctype html><table>", "web page")],
)
def test_what_cannot_be_an_import_is_refused_at_once(place, data, words):
    (place / "bad.csv").write_bytes(data)
    assert look() == 1
    file, text = names(place / REFUSED)
    assert file.endswith("-bad.csv")
    assert words in (place / REFUSED / text).read_text()
    assert imports() == []


def test_what_the_job_cannot_read_is_refused(place):
    (place / "bad.xlsx").write_bytes(b"PK\3\4 and then nothing of a workbook")
    assert [look(), look()] == [1, 1]
    assert names(place / REFUSED) == ["1-bad.xlsx", "1-bad.xlsx.txt"]
    assert (place / REFUSED / "1-bad.xlsx.txt").read_text().strip()
    assert imports() == []


def test_what_is_being_written_hidden_or_no_file_stays(place, tmp_path, monkeypatch):
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    (place / "link.csv").symlink_to(secret)
    (place / "folder.csv").mkdir()
    for name in (".hidden.csv", "towns.csv.part", "towns.csv.FILEPART"):
        (place / name).write_text(GOOD)
    assert look() == 0
    monkeypatch.setattr(incoming, "SETTLED_SECONDS", 60)
    (place / "young.csv").write_text(GOOD)
    assert look() == 0
    assert imports() == []
    assert "young.csv" in names(place)


def test_while_another_host_has_the_folder_nothing_is_done(place):
    (place / "towns.csv").write_text(GOOD)
    with (place / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert look() == 0
    assert look() == 1


def test_a_file_whose_move_was_missed_is_imported_once(place):
    """The clock was killed after the import had begun."""
    path = place / "towns.csv"
    path.write_text(GOOD)
    incoming.send(path, path.name)
    for _ in range(3):
        look()
    assert [found.state for found in imports()] == ["staged", "applied"]
    assert names(place / DONE) == ["2-towns.csv", "2-towns.csv.txt"]


def test_a_file_that_cannot_be_moved_is_not_imported(place, monkeypatch):
    (place / "towns.csv").write_text(GOOD)
    with monkeypatch.context() as without:
        without.setattr(Path, "rename", refuse)
        assert [look(), look()] == [0, 0]
    assert imports() == []
    assert look() == 1
    assert len(imports()) == 1


def refuse(_self, _target):
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_a_file_that_was_only_moved_is_imported(place):
    """The clock was killed in between. Another file of this name follows."""
    (place / WORKING).mkdir()
    (place / WORKING / "0-towns.csv").write_text(GOOD)
    (place / "towns.csv").write_text("province,city,number\n广东,珠海市,3\n")
    assert look() == 2
    assert names(place / WORKING) == ["1-towns.csv", "2-towns.csv"]
    for _ in range(3):
        look()
    assert {row[2] for row in stored()} == {"深圳市", "广州市", "珠海市"}
    assert [found.file_name for found in imports()] == ["towns.csv", "towns.csv"]


def test_the_schedule_ships_with_the_setting(place, make_app, as_role):
    assert shipped.store_new()
    assert "cities.import_folder" in shipped.all_shipped()
    without = make_app()
    with without.app_context():
        assert "cities.import_folder" not in shipped.all_shipped()
        assert shipped.store_new() == 0
    page = Page(as_role("admin").get("/schedules"))  # of the one without
    assert "cities.import_folder" not in page.text()
