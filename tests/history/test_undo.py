"""Undo on pages: the list of entries about a subject, the button, what follows."""

import pytest
from flask import get_template_attribute
from sqlalchemy import update

from app.actor import ANONYMOUS, Actor, Role
from app.auth.models import Person
from app.cities import services as cities
from app.database.engine import db
from app.errors import Conflict, NotFound, Unauthorized
from app.history import queries
from app.history.feed import describe_feed
from app.history.models import ADMINISTRATORS, HistoryEntry
from app.history.services import Change
from app.history.undo import find_undoable, undo_entry
from tests.cities.conftest import given, stored, version_of
from tests.factories import HTML, Browser, add_person, entries
from tests.files.helpers import store, store_by_script
from tests.history.conftest import ADA, ADMIN, change, register_kinds
from tests.html import Page

EDITOR = Actor(7, "Ada", Role.EDITOR)
VIEWER = Actor(8, "Viewer", Role.VIEWER)


def about(subject_id, actor=VIEWER, **more):
    return [entry.id for entry in queries.entries_about(actor, "ship", subject_id, **more)]


def test_entries_about_a_subject_are_the_newest_that_one_may_see(any_app, known):
    change(ADA, "ship.create", Change(1, after={}))
    change(ADA, "ship.update", Change(2, {}, {}), visible_to=ADMINISTRATORS)
    change(ADA, "ship.update", Change(1, {}, {}))
    change(ADA, "ship.delete", Change(2, {}, None), visible_to=VIEWER.id)
    change(ADA, "person.update", Change(1, {}, {}))
    assert about(1) == [3, 1]
    assert about(2) == [4]
    assert about(2, ADMIN) == [2]
    assert about(1, others=[2], limit=2) == [4, 3]
    assert about(9) == []
    with pytest.raises(Unauthorized):
        about(1, ANONYMOUS)


def test_entry_that_one_may_not_see_is_not_found(any_app, known):
    change(ADA, "ship.update", Change(1, {}, {}), visible_to=ADMINISTRATORS)
    assert queries.load_entry(ADMIN, 1).action == "ship.update"
    for entry_id in (1, 2):
        with pytest.raises(NotFound):
            queries.load_entry(VIEWER, entry_id)


def test_kind_without_a_way_back_cannot_be_undone(any_app, known):
    change(ADA, "ship.update", Change(1, {}, {}))
    change(ADA, "comet.create", Change(1, after={}))
    assert find_undoable(ADMIN, entries()) == set()
    for entry in entries():
        with pytest.raises(Conflict, match="cannot be undone"):
            undo_entry(ADMIN, entry)


def feed(app, actor, language="en", **more):
    """The rows of all entries as the macro draws them, newest first."""
    with app.test_request_context(headers={"Accept-Language": language}):
        rows = describe_feed(actor, entries()[::-1], **more)
        return Page(str(get_template_attribute("_macros/history.html", "history_feed")(rows)))


def test_rows_are_sentences_with_what_changed(any_app):
    city_id = cities.create_city(EDITOR, given(city="<b>"))
    cities.update_city(EDITOR, city_id, version_of(city_id), given(city="<b>", users="7"))
    page = feed(any_app, VIEWER)
    assert page.texts("li > span:nth-of-type(2)") == ["#7 changed <b>", "#7 added <b>"]
    assert page.links("li a") == [f"/cities/{city_id}"] * 2
    assert page.texts(".what") == ["Users before: 5 after: 7", "Province 广东 Users 5"]
    assert not page.has("button")
    own = feed(any_app, EDITOR, about=True)
    assert own.texts("li > span:nth-of-type(2)") == ["You changed this city", "You added this city"]
    assert own.texts("button") == ["Undo"]
    assert own.one("button")["formaction"] == "/history/2/undo"
    assert own.one("button")["aria-label"] == "Undo: You changed this city"


def test_rows_are_chinese_sentences(any_app):
    cities.create_city(EDITOR, given())
    page = feed(any_app, EDITOR, "zh", about=True)
    assert page.texts("li > span:nth-of-type(2)") == ["你 添加了这个城市"]
    assert page.one("button")["aria-label"] == "撤销: 你添加了这个城市"


def test_something_removed_is_named_and_can_be_restored(any_app):
    cities.delete_city(EDITOR, cities.create_city(EDITOR, given()))
    page = feed(any_app, EDITOR)
    assert page.texts("li > span:nth-of-type(2)") == ["You removed 深圳市", "You added 深圳市"]
    assert not page.has("li a")
    assert page.texts(".what") == ["Restore", "Province 广东 Users 5"]


def test_an_undone_change_and_unknown_actions_have_sentences(any_app, monkeypatch):
    city_id = cities.create_city(EDITOR, given())
    cities.update_city(EDITOR, city_id, version_of(city_id), given(users="7"))
    undo_entry(EDITOR, queries.load_entry(EDITOR, 2))
    assert feed(any_app, EDITOR).texts("li > span:nth-of-type(2)")[0] == (
        "You undid a change of 深圳市"
    )
    register_kinds(any_app, monkeypatch)
    change(Actor.operator(), "ship.update", Change(1, {}, {}))
    assert feed(any_app, EDITOR).texts("li > span:nth-of-type(2)")[0] == (
        "Command line : Ship changed, Beagle"
    )


def test_editor_undoes_and_comes_back(app, as_role):
    editor = as_role("editor")
    editor.submit("/cities/new", {"province": "广东", "city": "深圳市", "number": "5"})
    with app.app_context():
        entry_id = entries()[-1].id
    headers = {**HTML, "Referer": "http://localhost/files?q=a"}
    token = {"csrf_token": editor.token("/account")}
    undo = f"/history/{entry_id}/undo"
    sent = editor.client.post(undo, data=token, headers=headers)
    assert (sent.status_code, sent.location) == (303, "/files?q=a")
    assert "深圳市 was removed." in Page(editor.get("/files")).text(".notice")
    again = editor.client.post(undo, data=token, headers=headers)
    assert again.status_code == 409
    assert "This was already undone." in Page(again).text("main")
    assert Page(again).links(".error-page a") == ["/files?q=a", "/"]
    assert editor.submit("/history/999/undo", page="/account").status_code == 404


def test_after_the_page_of_something_new_its_list_is_shown(app, as_role):
    editor = as_role("editor")
    editor.submit("/cities/new", {"province": "广东", "city": "深圳市", "number": "5"})
    with app.app_context():
        [(city_id, *_rest)], entry_id = stored(), entries()[-1].id
    headers = {**HTML, "Referer": f"http://localhost/cities/{city_id}"}
    token = {"csrf_token": editor.token("/account")}
    sent = editor.client.post(f"/history/{entry_id}/undo", data=token, headers=headers)
    assert sent.location == "/cities"
    back = editor.client.post(f"/history/{entry_id + 1}/undo", data=token, headers=headers)
    assert back.location == f"/cities/{city_id}"


def test_visitors_and_viewers_undo_nothing(app, as_role, browser):
    with app.app_context():
        city_id = cities.create_city(Actor.operator(), given())
    assert browser.client.post("/history/1/undo", headers=HTML).location.startswith("/login")
    assert as_role("viewer").submit("/history/1/undo", page="/account").status_code == 403
    with app.app_context():
        assert stored()[0][0] == city_id


def test_an_owner_undoes_an_upload_whatever_the_role_is(app):
    with app.test_request_context():
        person_id = add_person("ada", "editor")
        store(person_id, "a.txt", b"1")
        db.session.execute(update(Person).values(role="viewer"))
        db.session.commit()
        entry_id = entries("file")[-1].id
    viewer = Browser(app)
    viewer.begin_session("ada")
    assert viewer.submit(f"/history/{entry_id}/undo", page="/account").status_code == 303
    assert "a.txt was removed." in Page(viewer.get("/files")).text(".notice")


def test_administrators_undo_on_the_page_of_the_history(app, as_role):
    admin = as_role("admin")
    admin.submit("/cities/new", {"province": "广东", "city": "深圳市", "number": "5"})
    page = Page(admin.get("/history"))
    button = page.one("table button")
    assert (button.text, button["aria-label"]) == ("Undo", "Undo: City added, 深圳市")
    token = {"csrf_token": page.one(f"form#{button['form']} input")["value"]}
    headers = {**HTML, "Referer": "http://localhost/history"}
    assert admin.client.post(button["formaction"], data=token, headers=headers).status_code == 303
    assert Page(admin.get("/history")).texts("table button") == ["Restore"]


def test_editor_undoes_a_bulk_change_on_the_start_page(app, as_role):
    editor = as_role("editor")
    with app.test_request_context():
        for name in ("a/1.txt", "a/2.txt", "a/3.txt"):
            store_by_script(1, name, b"1", with_folder=True)
    page = Page(editor.get("/"))
    button = page.one(".feed button")
    assert (button.text, button["name"], button["value"]) == ("Undo", "entries", "3 2 1")
    assert button["aria-label"] == "Undo: You uploaded 3.txt and 2 more to a"
    data = {"csrf_token": page.one(f"#{button['form']} input")["value"], "entries": "3 2 1"}
    headers = {**HTML, "Referer": "http://localhost/"}
    sent = editor.client.post(button["formaction"], data=data, headers=headers)
    assert (sent.status_code, sent.location) == (303, "/")
    page = Page(editor.get("/"))
    assert page.text(".notice") == "3 files were removed. a was removed."
    assert page.texts(".feed button") == ["Restore"]
    again = editor.client.post(button["formaction"], data=data, headers=headers)
    assert again.status_code == 409
    assert "already undone" in Page(again).text("main")


def test_others_undo_no_bulk_change(app, as_role, browser):
    with app.test_request_context():
        owner = add_person("ada", "editor")
        for name in ("1.txt", "2.txt"):
            store_by_script(owner, name, b"1")
        change(ADA, "file.create", Change(9, after={}), visible_to=ADMINISTRATORS)
    viewer, editor = as_role("viewer"), as_role("editor")
    assert not Page(viewer.get("/")).has(".feed button")

    def answers(who, entry_ids):
        data = {"entries": entry_ids}
        return who.submit("/history/undo", data, page="/account").status_code

    assert answers(viewer, "2 1") == 403
    for wrong in ("", "2 1 3", "2 99", "2 x", "9" * 30):
        assert answers(editor, wrong) == 404, wrong
    assert browser.client.post("/history/undo", headers=HTML).location.startswith("/login")
    viewer = Browser(app)
    with app.app_context():
        db.session.execute(update(Person).where(Person.id == owner).values(role="viewer"))
        db.session.commit()
    viewer.begin_session("ada")
    assert Page(viewer.get("/")).texts(".feed button") == ["Undo"]
    assert answers(viewer, "2 1") == 303


def test_a_city_of_a_batch_is_undone_alone(app, as_role):
    editor = as_role("editor")
    with app.test_request_context():
        cities.create_city(EDITOR, given())
        db.session.execute(update(HistoryEntry).values(batch_id="one"))
        db.session.commit()
    button = Page(editor.get("/")).one(".feed button")
    assert button["formaction"] == "/history/1/undo"


def test_many_cities_have_no_undo(app, as_role):
    editor = as_role("editor")
    with app.test_request_context():
        cities.add_sample_cities(EDITOR)
        entry_id = entries("city")[0].id
    assert not Page(editor.get("/")).has(".feed button")
    sent = editor.submit("/history/undo", {"entries": str(entry_id)}, page="/account")
    assert sent.status_code == 409
