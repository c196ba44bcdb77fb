"""The reader's uploads that are being received, on the start page."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.actor import Via
from app.auth.queries import find_person
from app.files.upload import progress
from app.files.upload.batches import LATEST
from app.files.upload.disposition import Disposition
from app.files.upload.multipart import UNREADABLE, UploadParser
from app.files.upload.progress import ProgressNote, list_running
from tests.factories import OPERATOR
from tests.html import Page


def test_an_upload_whose_process_has_ended_is_not_shown(app, monkeypatch):
    with app.app_context():
        redis = app.extensions["redis"]
        now = int(redis.time()[0])
        text = '{"name":"%s","number":2,"received":1,"size":0,"began":1}'
        values = {"old": f"{now - 31} {text % 'old'}", "new": f"{now - 20} {text % 'new'}"}
        redis.hset("gz:uploading:1", mapping={**values, "other": f"{now} []", "wrong": "x"})
        late = text.replace('"began":1', f'"began":{LATEST + 1}') % "late"
        redis.hset("gz:uploading:1", "late", f"{now} {late}")
        [running] = list_running(replace(OPERATOR, id=1, via=Via.PAGE)).own
        assert running.name == "new"
        monkeypatch.setattr(progress, "LIFE_SECONDS", 10)
        ProgressNote(1).write(UploadParser(Path(), 1), 5, 10)
        assert 0 < redis.ttl("gz:uploading:1") <= 10
        redis.set("gz:uploading:1", "a value of another type")
        assert not list_running(replace(OPERATOR, id=1, via=Via.PAGE)).own


def test_the_newest_of_many_uploads_are_shown(app, as_role):
    browser = as_role("editor")
    with app.app_context():
        key, redis = f"gz:uploading:{find_person('editor').id}", app.extensions["redis"]
        now = int(redis.time()[0])
        text = '{"name":"%s","number":1,"received":1,"size":2,"began":%s}'
        notes = {f"{n}": f"{now} {text % (f'{n}.txt', now - 20 + n)}" for n in range(9)}
        redis.hset(key, mapping=notes)
    page = Page(browser.get("/"))
    lines = page.texts("[aria-labelledby=running-uploads] li")
    shown = [f"Uploading {n}.txt" for n in (8, 7, 6, 5, 4)]
    assert [line.partition(":")[0] for line in lines] == shown
    assert page.text("[aria-labelledby=running-uploads] p") == "and 4 more"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (rb"a \"b\".txt", 'a "b".txt'),
        ("广州.txt".encode("gb18030"), "广州.txt"),
        (b"\xff.txt", "\ufffd.txt"),
    ],
)
def test_the_name_of_a_running_upload_is_that_of_the_file(app, sent, shown):
    with app.app_context():
        parser = UploadParser(Path(), 1)
        parser.add_broken(UNREADABLE, Disposition(filename=sent))
        ProgressNote(1).write(parser, 5, 10)
        [running] = list_running(replace(OPERATOR, id=1, via=Via.PAGE)).own
        assert running.name == shown


def test_an_upload_of_which_no_name_has_arrived_is_a_file(app, as_role):
    browser = as_role("editor")
    with app.app_context():
        person_id = find_person("editor").id
        ProgressNote(person_id).write(UploadParser(Path(), 1), 0, 723)
    assert (
        Page(browser.get("/"))
        .texts("[aria-labelledby=running-uploads] li")[0]
        .startswith("Uploading a file: 0 B of 723")
    )
