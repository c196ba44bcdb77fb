"""Rows that another transaction has locked on MariaDB: a Conflict after a second."""

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.cities import services as cities
from app.cities.details.merging import form_version
from app.cities.importing.cleaning import delete_ended
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Locked
from app.files.models import File
from app.times import now
from tests.cities.conftest import ACTOR, add_as_original, given
from tests.cities.importing.staging import expire, kinds, stage
from tests.database.test_transactions import give_role, role_of
from tests.factories import HTML, Browser, add_person, add_token
from tests.files.helpers import JSON, PDF, Script, store
from tests.html import Page


@contextmanager
def locked(rows):
    """Lock the rows of a table in another transaction: `locked("city")`."""
    holder = db.engine.raw_connection()
    holder.cursor().execute(f"SELECT * FROM {rows} FOR UPDATE")  # noqa: S608
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


def test_lock_wait_timeout_is_a_conflict(mariadb):
    person, attempts = add_person("viewer"), []

    @unrecorded
    def service():
        attempts.append("attempt")
        give_role(person, "editor")

    begun = time.monotonic()
    with locked("person"), pytest.raises(Locked, match="Someone else is changing this") as error:
        service()
    assert error.value.status == 409
    assert 0.9 < time.monotonic() - begun < 30  # 50 by default; ours: test_limits.py
    assert attempts == ["attempt"]
    assert role_of(person) == "viewer"
    service()
    assert role_of(person) == "editor"


def test_a_lock_leaves_no_statement_waiting(mariadb):
    person = add_person("viewer")
    waiting = text("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE%'")
    with locked("person"):
        for _ in range(2):
            with pytest.raises(Locked):
                unrecorded(give_role)(person, "editor")
        assert db.session.scalar(waiting) == 0


@pytest.fixture
def site(mariadb, mariadb_migrated, make_app):
    """Another web process on the same database, without an application context."""
    return make_app(DATABASE_URL=mariadb_migrated)


def test_a_locked_city_is_reported_above_the_form(site):
    add_person("editor", "editor")
    city_id = cities.create_city(ACTOR, given("广东", "深圳市", "5"))
    editor = Browser(site)
    editor.sign_in("editor")
    version = form_version(cities.load_city(ACTOR, city_id))
    db.session.rollback()
    fields = {"province": "广东", "city": "深圳", "number": "77", "version": version}
    with locked("city"):
        response = editor.submit(f"/cities/{city_id}", fields)
    assert response.status_code == 409
    page = Page(response)
    assert "Someone else is changing this right now. Try again in a moment." in page.text(
        ".error-summary"
    )
    assert page.one("input[name=number]")["value"] == "77"
    assert editor.submit(f"/cities/{city_id}", fields).status_code == 303


def test_reading_works_while_the_row_it_would_update_is_locked(site):
    person = add_person("editor", "editor")
    secret = add_token(person)
    with site.test_request_context():
        file_id = store(person, "report.pdf").id
    add_as_original(("广东", "深圳市", 5))
    bearer = {"Authorization": f"Bearer {secret}"}
    with locked("api_token"), locked("file"), locked("city"):
        response = site.test_client().get(f"/files/{file_id}", headers=bearer, buffered=True)
        assert response.status_code == 200
        response = site.test_client().get("/cities?q=x", headers={**HTML, **bearer})
        assert response.status_code == 200


def test_an_upload_succeeds_while_a_removed_file_is_locked(site):
    script = Script(site)
    with site.test_request_context():
        file_id = store(script.person_id, "old.pdf").id
    due = update(File).where(File.id == file_id).values(removed_at=now() - timedelta(days=31))
    db.session.execute(due)
    db.session.commit()
    with locked(f"file WHERE id = {file_id}"):
        assert script.upload(("new.pdf", PDF)).status_code == 200


def test_an_upload_into_what_is_locked_says_when_to_send_it_again(site):
    script = Script(site)
    rest = f"person WHERE id = {script.person_id}"
    with locked(rest):
        plain = script.upload(("new.pdf", PDF))
        by_page = script.upload(("new.pdf", PDF), **JSON)
    for response in (plain, by_page):
        assert (response.status_code, response.headers["Retry-After"]) == (409, "2")
    assert by_page.json["files"][0]["retry_after"] == 2
    assert script.upload(("new.pdf", PDF)).status_code == 200
    [refused] = script.upload(("a.png", PDF), **JSON).json["files"]
    assert "retry_after" not in refused


def test_an_expired_import_that_is_locked_is_deleted_later(site, caplog):
    editor = add_person("editor", "editor")
    with site.test_request_context():
        expired, newer = stage(editor, "a,b,1\n"), stage(editor, "a,b,2\n")
        expire(expired, newer)
        with locked(f"city_import WHERE id = {expired}"):
            assert kinds(stage(editor, "a,c,1\n")) == ["new"]
            assert delete_ended() == 1
        assert "a row is locked elsewhere: 1205 " in caplog.text
        assert "an expired import was not deleted" in caplog.text
        assert (kinds(expired), kinds(newer)) == (["new"], [])
        assert delete_ended() == 1
        assert kinds(expired) == []


def test_signing_in_works_while_the_row_of_the_person_is_locked(site, caplog):
    add_person("Ada")
    with locked("person"):
        Browser(site).sign_in("Ada")
    assert "a row is locked elsewhere: 1205 " in caplog.text
    assert "the time of a sign-in was not stored" in caplog.text
