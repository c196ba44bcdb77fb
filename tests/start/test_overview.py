"""The start page of members."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.actor import ANONYMOUS, Actor, Role
from app.cities import services as cities
from app.cities.importing import services as importing
from app.cities.importing.models import CityImport
from app.database.engine import db
from app.errors import Unauthorized
from app.history.models import HistoryEntry
from app.jobs.models import Job
from app.start.queries import read_overview
from app.times import now
from tests.cities.conftest import ACTOR, given, version_of
from tests.cities.importing.staging import confirm, stage
from tests.factories import OPERATOR, add_person, entries, statements
from tests.files.helpers import editor, store, store_by_script
from tests.files.preview.helpers import encoded, landscape
from tests.html import Page
from tests.jobs.conftest import write

VIEWER = Actor(8, "viewer", Role.VIEWER)


def sentences(page):
    return page.texts(".feed .day ~ li > span:nth-of-type(2)")


def move(entry_id, **ago):
    """Let an entry be older."""
    values = {"at": now() - timedelta(**ago)}
    db.session.execute(update(HistoryEntry).where(HistoryEntry.id == entry_id).values(values))
    db.session.commit()


def test_members_see_what_changed_and_totals(app, as_role):
    browser = as_role("editor")
    browser.submit("/cities/new", {"province": "广东", "city": "深圳市", "number": "17494398"})
    with app.test_request_context():
        store(1, "harbour.txt", b"1")
        [city, _file] = entries("city", "file")
        move(city.id, days=1)
    page = Page(browser.get("/"))
    assert page.text("h1") == "Hello, editor"
    assert page.texts(".stat .value") == ["1", "17.5M", "1"]
    assert page.texts(".stat .label") == ["Cities", "Users", "Files"]
    assert page.texts(".stat .note")[0] == "1 added or changed today"
    assert page.texts(".day") == ["Today", "Yesterday"]
    assert sentences(page) == ["You uploaded harbour.txt", "You added 深圳市"]
    assert page.texts(".start-files a") == ["harbour.txt"]
    assert page.links(".head-actions a") == ["/files#upload", "/cities/new"]
    assert page.links("a.brand") == ["/"]
    undo = page.all(".feed button")[0]
    assert page.one(f"form#{undo['form']}")["method"] == "post"
    token = page.one("#undo-actions input")["value"]
    sent = browser.client.post(
        undo["formaction"], data={"csrf_token": token}, headers={"Referer": "http://localhost/"}
    )
    assert (sent.status_code, sent.location) == (303, "/")
    assert sentences(Page(browser.get("/")))[0] == "You removed harbour.txt"


def test_changes_of_other_days_have_the_time_of_day(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        cities.create_city(ACTOR, given())
        store(1, "new.txt", b"1")
        [old, _new] = entries("city", "file")
        move(old.id, days=1)
        clock = db.session.get(HistoryEntry, old.id).at.astimezone(ZoneInfo("Asia/Shanghai"))
    times = Page(browser.get("/")).texts(".feed .day ~ li .when time")
    assert times == ["just now", clock.strftime("%I:%M %p").lstrip("0")]


def test_viewers_are_offered_nothing_that_they_may_not_do(app, as_role):
    with app.test_request_context():
        cities.create_city(OPERATOR, given())
    page = Page(as_role("viewer").get("/"))
    assert sentences(page) == ["Command line added 深圳市"]
    assert not page.has(".head-actions a")
    assert not page.has(".feed button")
    assert not page.has("a[href='/history']")
    assert Page(as_role("admin").get("/")).has("h2 a[href='/history']")


def test_an_empty_installation_says_what_to_do_first(as_role):
    admin = Page(as_role("admin").get("/"))
    assert admin.links(".start-steps a") == [
        "/cities/new", "/cities/import", "/files#upload", "/people/new",
    ]  # fmt: skip
    assert all(
        as_role("admin").get(url).status_code == 200 for url in admin.links(".start-steps a")
    )
    assert len(Page(as_role("editor").get("/")).links(".start-steps a")) == 3
    assert not Page(as_role("viewer").get("/")).links(".start-steps a")
    assert Page(as_role("viewer").get("/")).has(".start-steps")


def test_first_steps_stay_until_they_are_done(app, as_role):
    admin, editor, viewer = as_role("admin"), as_role("editor"), as_role("viewer")
    with app.test_request_context():
        cities.add_sample_cities(OPERATOR)
    assert len(Page(admin.get("/")).links(".start-steps a")) == 4
    assert not Page(viewer.get("/")).has(".start-steps")
    add = {"province": "a", "city": "b", "number": "5"}
    editor.submit("/cities/new", add)
    assert Page(admin.get("/")).links(".start-steps a") == ["/files#upload", "/people/new"]
    with app.test_request_context():
        store(1, "note.txt", b"1")
    assert not Page(admin.get("/")).has(".start-steps")


def test_first_steps_end_when_much_was_done(as_role):
    editor = as_role("editor")
    for number in range(4):
        editor.submit("/cities/new", {"province": "a", "city": f"{number}", "number": "5"})
    assert not Page(as_role("admin").get("/")).has(".start-steps")


def test_a_folder_that_was_uploaded_with_files_is_named(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        store_by_script(1, "note.txt", b"1")
        store_by_script(1, "trip/1.txt", b"1", with_folder=True)
        store_by_script(1, "trip/2.txt", b"1", with_folder=True)
        store_by_script(1, "last.txt", b"1")
    page = Page(browser.get("/"))
    assert sentences(page) == ["You uploaded last.txt and 3 more, some of them to trip by job"]
    assert "/files/folders/trip" in page.links(".feed a")
    header = {"Accept": "text/html", "Accept-Language": "zh"}
    chinese = browser.get("/", headers=header).text
    assert "<b>你</b>上传了 <a" in chinese
    assert "</a> 以及另外 3 个文件，其中一部分在 <a" in chinese


def test_an_import_that_waits_is_shown_to_its_owner(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        import_id = stage(1, "a,b,1\n")
    assert "1 import" in Page(browser.get("/")).texts(".stat .value")
    assert len(Page(as_role("admin").get("/")).all(".stat")) == 3
    with app.test_request_context():
        confirm(import_id, 1)
        assert db.session.get(CityImport, import_id).applied_at
    assert len(Page(browser.get("/")).all(".stat")) == 3


def test_an_import_whose_lines_are_compared_is_running(app, as_role, monkeypatch):
    browser = as_role("editor")
    with app.test_request_context():
        with monkeypatch.context() as patched:
            patched.setattr(importing, "WAIT_SECONDS", 0.0)
            stage(1, "a,b,1\n")
        jobs = list(db.session.scalars(select(Job.id)))
        db.session.rollback()
    assert Page(browser.get("/")).texts(".stat .label")[3:] == ["Running"]
    with app.test_request_context():
        write(jobs[0], state="running")
        stage(1, "a,b,1\n")
    assert Page(browser.get("/")).texts(".stat .label")[3:] == ["Running", "Waiting for you"]
    with app.test_request_context():  # it was interrupted
        write(jobs[0], state="lost")
    assert Page(browser.get("/")).texts(".stat .label")[3:] == ["Waiting for you"]


def test_recent_pictures_are_shown_small(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        picture = store(1, "harbour.png", encoded(landscape(300, 200), "PNG"))
        store(1, "notes.txt", b"1")
    image = Page(browser.get("/")).one(".start-files img")
    assert image["src"].startswith(f"/files/{picture.id}/picture/64")
    assert image["loading"] == "lazy"
    assert image["width"] == image["height"] == "28"


def test_the_search_box_says_what_is_searched(as_role):
    box = ".find input"
    assert "people" in Page(as_role("admin").get("/")).one(box)["placeholder"]
    assert "people" not in Page(as_role("editor").get("/")).one(box)["placeholder"]


def test_bulk_changes_are_sentences(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        cities.add_sample_cities(ACTOR)
        confirm(stage(1, "广东,深圳市,6\nc,d,1\n,f,1\n"), 1)
        for number in range(4):
            store_by_script(1, f"survey/2026/{number}.txt", b"1", with_folder=True)
        other = add_person("Ada", "editor")
        store_by_script(other, "a/1.txt", b"1", with_folder=True)
        store_by_script(other, "b/2.txt", b"1", with_folder=True)
    page = Page(browser.get("/"))
    assert sentences(page) == [
        "Ada uploaded 2.txt and 1 more by job",
        "You uploaded 3.txt and 3 more to survey by job",
        "You imported cities.csv by job",
        "#1 added 418 cities" if ACTOR.id != 1 else "You added 418 cities",
    ]
    assert "1 added, 1 changed, 1 refused" in page.texts(".what .figure")
    assert "/files/folders/survey" in page.links(".feed a")
    # The uploads and the import can be undone, the sample cities cannot.
    assert page.texts(".feed button") == ["Undo"] * 3
    assert not page.has(".feed a[href^='/history']")
    admin = Page(as_role("admin").get("/"))
    links = admin.links(".feed a[href^='/history']")
    assert len(links) == 2 if ACTOR.id != 1 else links


def test_the_page_takes_few_statements(app, as_role):
    browser = as_role("editor")
    with app.test_request_context():
        for number in range(30):
            city_id = cities.create_city(editor(1), given(city=f"{number}"))
            cities.update_city(
                editor(1), city_id, version_of(city_id), given(city=f"{number}", users="7")
            )
    browser.get("/")
    with app.app_context(), statements() as sent:
        assert browser.get("/").status_code == 200
    assert len(sent) <= 14, [statement for statement, _values in sent]


def test_the_overview_is_for_members(app):
    with app.test_request_context(), pytest.raises(Unauthorized):
        read_overview(ANONYMOUS, now())
