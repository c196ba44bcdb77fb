"""Uploads of many requests that are going on: their notes, and that they cannot be undone yet."""

import pytest

from app.errors import Conflict
from app.files.upload import batches
from app.files.upload import services as uploads
from app.files.upload.batches import KEY, LATEST, batch_of, find_running
from app.files.upload.multipart import UploadParser
from app.files.upload.progress import ProgressNote, list_running
from app.history.bulk import load_heads
from app.history.recent import recent_changes
from app.history.undo import undo_entries
from app.redis import unsent
from tests.factories import Browser, actor_of, connections_held, entries
from tests.files.helpers import Script, files_dir, make_person, received
from tests.html import Page

TOTALS = {"files": "5", "bytes": "1000"}
SHEET = "[aria-labelledby=running-uploads] li"
WAITING = "Still uploading. It can be undone once the upload has ended."


def send(script, key, *names, **fields):
    """Send a form with some files of 100 bytes, as one of the batch with this key."""
    texts = [(f'name="{name}"'.encode(), text.encode()) for name, text in fields.items()]
    files = [(f'name="folder"; filename="{name}"'.encode(), b"x" * 100) for name in names]
    response = script.upload_parts((b'name="batch"', key.encode()), *texts, *files)
    assert response.status_code == 200, response.text
    return response


def lines(app, name):
    """The uploads in progress, on the start page of somebody."""
    browser = Browser(app)
    browser.begin_session(name)
    return [line.rsplit(" just now", 1)[0] for line in Page(browser.get("/")).texts(SHEET)]


def age_notes(app, seconds):
    """Let all notes be older."""
    redis = app.extensions["redis"]
    for field, value in redis.hgetall(KEY).items():
        second, rest = value.split(" ", 1)
        redis.hset(KEY, field, f"{int(second) - seconds} {rest}")


def test_the_requests_of_a_batch_are_one_line(app):
    script = Script(app)
    send(script, "k", "trip/1.txt", "trip/2.txt", **TOTALS)
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 2 of 5 files to trip: 200 B of 1,000 B")
    send(script, "k", "trip/deep/3.txt", **TOTALS)
    send(script, "k", "trip/deep/3.txt", **TOTALS)  # again: it is there
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 3 of 5 files to trip: 300 B of 1,000 B")
    response = script.client.post("/upload/end", data={"batch": "k"}, headers=script.headers)
    assert response.status_code == 204
    assert lines(app, "editor's script") == []
    send(script, "k", "trip/4.txt", **TOTALS)  # one that was tried again goes on from there
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 4 of 5 files to trip")


def test_the_line_is_chinese_for_chinese(app):
    script = Script(app)
    send(script, "k", "trip/1.txt", "trip/2.txt", **TOTALS)
    browser = Browser(app)
    browser.begin_session("editor's script")
    header = {"Accept": "text/html", "Accept-Language": "zh"}
    page = Page(browser.get("/", headers=header))
    assert page.texts(SHEET)[0].startswith(
        "正在上传：2 / 5 个文件到 trip（已接收 200 B，共 1,000 B）"
    )
    assert "仍在上传，结束后可以撤销。" in page.text(".feed .what")


@pytest.mark.parametrize("wrong", [{}, {"files": "-1", "bytes": "1e9"}, {"files": "9" * 30}])
def test_scripts_need_not_say_how_much_it_is(app, wrong):
    script = Script(app)
    send(script, "k", "1.txt", **wrong)
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 1 file to Files: 100 B so far")
    send(script, "k", "2.txt", into="survey/2026")
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 2 files to survey/2026: 200 B so far")


def test_two_batches_at_once_are_two_lines_and_each_sees_the_own(app):
    one, other = Script(app), Script(app, name="another")
    send(one, "k", "a/1.txt")
    send(one, "l", "b/1.txt")
    send(other, "k", "c/1.txt")
    send(one, "k", "a/2.txt")
    assert sorted(line.partition(":")[0] for line in lines(app, "editor's script")) == [
        "Uploading 1 file to b",
        "Uploading 2 files to a",
    ]
    assert len(lines(app, "another")) == 1
    make_person(app, "guest", "viewer")
    assert lines(app, "guest") == []
    other.client.post("/upload/end", data={"batch": "l"}, headers=other.headers)
    assert len(lines(app, "editor's script")) == 2  # it was not theirs


def test_a_batch_that_is_still_is_over(app):
    script = Script(app)
    send(script, "k", "a/1.txt")
    age_notes(app, batches.LIFE_SECONDS - 5)
    assert len(lines(app, "editor's script")) == 1
    age_notes(app, 10)
    assert lines(app, "editor's script") == []
    redis = app.extensions["redis"]
    assert 0 < redis.ttl(KEY) <= batches.HOLD_SECONDS
    send(script, "k", "a/2.txt")  # after a pause
    assert lines(app, "editor's script")[0].startswith("Uploading 2 files")
    age_notes(app, batches.HOLD_SECONDS + 5)
    send(script, "another", "a/3.txt")  # forgets what is old
    assert redis.hlen(KEY) == 1


def test_of_too_many_batches_the_oldest_are_forgotten(app, monkeypatch):
    redis = app.extensions["redis"]
    second = redis.time()[0]
    notes = {f"{n}": f"{second - n} 1 {second} 1 1 1 1 99 trip" for n in range(1, 20)}
    with app.app_context():
        redis.hset(KEY, mapping=notes)
    monkeypatch.setattr(batches, "MOST_BATCHES", 5)
    send(Script(app), "k", "1.txt")
    assert {"1", "2", "3", "4"} < set(redis.hkeys(KEY))
    assert redis.hlen(KEY) == 5
    for key in "klm":
        send(Script(app), key, "2.txt")
    assert redis.hlen(KEY) == 5
    assert len(lines(app, "editor's script")) == 3


def test_what_cannot_be_read_is_left_out(app):
    redis = app.extensions["redis"]
    person_id, browser = make_person(app, "editor's script"), Browser(app)
    browser.begin_session("editor's script")
    with app.app_context():
        second = redis.time()[0]
        wrong = {
            "a": "x",
            "b": f'{second} 1 1 1 1 {{"id":"b","person_id":1}}',  # of an earlier release
            "c": f"{second} 1 {10**30} 1 1 1 1 1 trip",
            "d": f"{second} 1 {LATEST + 1} 1 1 1 1 {person_id} trip",
        }
        redis.hset(KEY, mapping=wrong)
        assert find_running(["a", "b", "c", "d"]) == set()
        assert Page(browser.get("/")).texts(SHEET) == []
        redis.set(KEY, "a value of another type")
        assert find_running(["a"]) == set()
    send(Script(app), "k", "1.txt")
    assert redis.hlen(KEY) == 1


def test_a_long_request_belongs_to_its_batch(app):
    person_id = make_person(app, "editor's script")
    with app.app_context():
        me = actor_of(person_id)
        note, parser = ProgressNote(me.id), UploadParser(files_dir(app), 100)
        whole = batch_of(me, "k", "survey", files=2, size=5000)
        note.write(parser, 700, 1000, whole)
        [running] = list_running(me).own
        assert (running.files, running.received) == (0, 700)
        assert find_running([whole.id]) == {whole.id}
        uploads.store_uploads(me, [received("1.txt", b"x" * 50)], "survey", whole)
        [running] = list_running(me).own
        assert (running.files, running.received) == (1, 750)
        note.remove()
        unsent.send_all()
        [running] = list_running(me).own
        assert (running.files, running.received) == (1, 50)
        # The only file of a batch is shown by its name.
        single = batch_of(me, "l", files=1)
        note.write(parser, 8, 9, single)
        assert {getattr(each, "size", None) for each in list_running(me).own} == {None, 9}


def test_a_request_does_not_replace_what_is_known_of_the_whole(app):
    """A large file is sent first, while the page still counts the others, and is noted to its
    end."""
    person_id = make_person(app, "editor's script")
    with app.app_context():
        me = actor_of(person_id)
        note, parser = ProgressNote(me.id), UploadParser(files_dir(app), 100)
        early = batch_of(me, "k", files=15, size=900)
        note.write(parser, 300, 900, early)
        sent = [received("trip/1.txt", b"x" * 100, with_folder=True)]
        uploads.store_uploads(me, sent, batch=batch_of(me, "k", files=606, size=1000))
        note.write(parser, 500, 900, early)
        uploads.store_uploads(me, [received("big.csv", b"x" * 100)], batch=early)
        uploads.store_uploads(me, [received("2.txt", b"x")], batch=batch_of(me, "k"))
    [line] = lines(app, "editor's script")
    assert line.startswith("Uploading 3 of 606 files to trip: 701 B of 1,000 B")


def test_a_batch_costs_no_trip_to_redis(app):
    script = Script(app)
    for key in ("k", ""):
        send(script, key, "0.txt")
    trips = []
    for number, key in enumerate(("k", "")):
        with connections_held(app) as held:
            send(script, key, f"{number}.pdf.txt")
        trips.append(len(held))
    assert trips[0] == trips[1]


def test_uploads_go_on_without_redis(make_app):
    app = make_app(REDIS_URL="redis://127.0.0.1:1/0")
    script = Script(app)
    send(script, "k", "trip/1.txt", "trip/2.txt", **TOTALS)
    response = script.client.post("/upload/end", data={"batch": "k"}, headers=script.headers)
    assert response.status_code == 204
    with app.app_context():
        me = actor_of(script.person_id)
        assert not list_running(me).own
        assert undo(me) == "2 files were removed. trip was removed."


def undo(actor):
    [group] = recent_changes(actor, 20)
    heads = load_heads(actor, [head.id for head in group.heads])
    return " ".join(map(str, undo_entries(actor, heads)))


@pytest.mark.usefixtures("any_app")
def test_a_batch_is_undone_when_it_has_ended(any_app):
    me = actor_of(make_person(any_app, "Lin"))

    def send(*names):
        sent = [received(name, b"x", with_folder=True) for name in names]
        uploads.store_uploads(me, sent, batch=batch_of(me, "k"))

    send("trip/1.txt", "trip/2.txt")
    with pytest.raises(Conflict, match="still being uploaded"):
        undo(me)
    send("trip/3.txt")
    uploads.end_upload(me, "k")
    assert undo(me) == "3 files were removed. trip was removed."


def test_the_feed_says_that_it_goes_on(app):
    script = Script(app)
    send(script, "k", "trip/1.txt", "trip/2.txt")
    browser, guest = Browser(app), Browser(app)
    make_person(app, "guest", "viewer")
    browser.begin_session("editor's script")
    guest.begin_session("guest")
    for each in (browser, guest):
        page = Page(each.get("/"))
        assert page.texts(".feed .what") == [WAITING]
        who = "You" if each is browser else "editor's script"
        [line] = page.texts(".feed .day ~ li")
        assert f"{who} uploaded 1.txt and 1 more to trip so far" in line
        assert not page.has(".feed button")
    with app.app_context():
        [head, _folded] = entries("file")
    sent = browser.submit("/history/undo", {"entries": str(head.id)}, page="/account")
    assert sent.status_code == 409
    assert "Stop the upload, or wait until it has ended, and then undo it." in sent.text
    script.client.post("/upload/end", data={"batch": "k"}, headers=script.headers)
    page = Page(browser.get("/"))
    assert page.texts(".feed button") == ["Undo"]
    assert not any("so far" in line for line in page.texts(".feed li"))
    assert not Page(guest.get("/")).has(".feed .what")


def test_the_feed_says_it_of_the_only_file_that_is_there(app):
    send(Script(app), "k", "trip/1.txt", **TOTALS)
    browser = Browser(app)
    browser.begin_session("editor's script")
    [line] = Page(browser.get("/")).texts(".feed .day ~ li")
    assert "You uploaded 1.txt so far" in line
    assert "Size 100 B" in line


def test_a_form_of_many_files_without_a_key_goes_on_until_its_end(app, monkeypatch):
    monkeypatch.setattr(uploads, "ROWS", 2)
    person_id = make_person(app, "Lin")
    seen = []
    insert_versions = uploads.insert_versions

    def look_and_insert(*args):
        seen.append([each.files for each in list_running(actor_of(person_id)).own])
        return insert_versions(*args)

    monkeypatch.setattr(uploads, "insert_versions", look_and_insert)
    with app.app_context():
        sent = [received(f"trip/{number}.txt", b"x", with_folder=True) for number in range(5)]
        uploads.store_uploads(actor_of(person_id), sent)
        assert seen == [[], [2], [4]]
        assert undo(actor_of(person_id)) == "5 files were removed. trip was removed."


def test_the_feed_counts_what_was_stored_and_not_what_was_there(app):
    script = Script(app)
    send(script, "k", "trip/1.txt", "trip/2.txt")
    send(script, "k", "trip/1.txt", "trip/2.txt", "trip/3.txt")
    browser = Browser(app)
    browser.begin_session("editor's script")
    [line] = Page(browser.get("/")).texts(".feed .day ~ li")
    assert "3.txt and 2 more to trip" in line
    with app.app_context():
        assert len(entries("file")) == 3
