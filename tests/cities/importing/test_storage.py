"""The stored files of imports: each is there as long as its import waits."""

import hashlib
import os
import time

import pytest
from sqlalchemy import select, update

from app.cities.importing import cleaning, services, storage
from app.cities.importing.models import CityImport
from app.cities.importing.services import TooManyWaiting
from app.current import settings
from app.database.engine import db
from app.errors import Invalid
from app.files.services import PurgeCounts, purge_files
from tests.cities.importing.staging import HEADER, begin, confirm, editor, expire, send, stage
from tests.factories import OPERATOR
from tests.files.helpers import on_disk

LINES = f"{HEADER}a,b,1\n".encode()


def stored():
    """The files of imports, also those being received."""
    return on_disk(settings().files_dir / storage.FOLDER)


def test_the_file_is_stored_with_its_size_and_hash(person):
    import_id = stage(person, "a,b,1\n")
    row = db.session.get_one(CityImport, import_id)
    [path] = stored()
    assert path == storage.path_of_import(row)
    assert path.read_bytes() == LINES
    assert (row.size, row.sha256) == (len(LINES), hashlib.sha256(LINES).hexdigest())


@pytest.mark.parametrize("end", ["confirmed", "cancelled", "expired"])
def test_it_is_deleted_with_its_import(person, end):
    import_id, other = stage(person, "a,b,1\n"), stage(person, "a,c,1\n")
    if end == "confirmed":
        confirm(import_id, person)
    elif end == "cancelled":
        services.cancel_import(editor(person), import_id)
    else:
        expire(import_id)
        assert cleaning.delete_ended() == 1
    kept = db.session.get_one(CityImport, other).stored_name
    assert [path.name for path in stored()] == [kept]


def test_nothing_is_left_of_a_file_that_is_refused(person, monkeypatch):
    with pytest.raises(Invalid):
        begin(editor(person), "a.csv", b"<html>")
    monkeypatch.setattr(services, "MOST_WAITING", 0)
    with pytest.raises(TooManyWaiting):
        stage(person, "a,b,1\n")
    assert stored() == []


def test_nothing_is_left_of_a_form_that_is_refused(app, as_role):
    visitor = as_role("editor")
    assert send(visitor, b"<html>").status_code == 422
    boundary = b"--b\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\n"
    cut = visitor.client.post(
        "/cities/import",
        data=boundary + LINES,
        content_type="multipart/form-data; boundary=b",
    )
    assert cut.status_code == 400
    with app.app_context():
        assert stored() == []


def test_a_file_without_an_import_is_purged(person):
    stray, kept = stage(person, "a,b,1\n"), stage(person, "a,c,1\n")
    db.session.execute(update(CityImport).where(CityImport.id == stray).values(stored_name=None))
    db.session.commit()
    assert purge_files(OPERATOR) == PurgeCounts()
    for path in stored():
        os.utime(path, (time.time() - 90_000,) * 2)
    assert purge_files(OPERATOR) == PurgeCounts(orphaned=1)
    name = db.session.scalar(select(CityImport.stored_name).where(CityImport.id == kept))
    assert [path.name for path in stored()] == [name]
