"""The pages of confirmed imports: how far one is, what it did, the list."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.cities.importing.applying import parts
from app.cities.importing.models import CityImport
from app.cities.models import City
from app.database.engine import db
from app.jobs import waiting
from app.times import now
from tests.cities.importing.applying.helpers import stop_after
from tests.cities.importing.staging import HEADER, perform, send
from tests.cities.importing.test_pages import confirm, open_page, stranger

LINES = HEADER + "".join(f"a,b{i},{i}\n" for i in range(8)) + ",x,1\n"
FACTS, BUTTONS = "#import .facts dt", "#import button"


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of three lines."""
    monkeypatch.setattr(parts, "LINES", 3)


def facts(page):
    """What the page of an import says, by its names."""
    values = page.texts("#import .facts dd")
    return dict(zip(page.texts(FACTS), values, strict=True))


def numbers(app):
    with app.app_context():
        return dict(db.session.execute(select(City.cityname, City.usernumber)).all())


def test_a_small_import_is_done_when_its_page_is_shown(app, as_role, cities):
    cities(("a", "b1", 7))
    editor = as_role("editor")
    address = send(editor, LINES).location
    assert confirm(editor, address).location == address
    page = open_page(editor, address)
    assert page.text(".notice") == "Imported: 7 new, 1 changed."
    found = facts(page)
    assert (found["State"], found["Person"], found["Lines done"]) == (
        "Imported",
        "editor",
        "8 of 8",
    )
    assert (found["Cities added"], found["Cities changed"], found["Refused lines"]) == (
        "7",
        "1",
        "1",
    )
    assert page.texts("#refused tbody .main") == ["Province is empty."]
    assert page.texts(BUTTONS) == ["Undo"]
    assert len(numbers(app)) == 8


def test_undone_on_its_page(app, as_role, cities):
    cities(("a", "b1", 7))
    editor = as_role("editor")
    address = send(editor, LINES).location
    confirm(editor, address)
    with app.app_context():
        db.session.execute(update(City).where(City.cityname == "b2").values(usernumber=99))
        db.session.commit()
    assert editor.submit(f"{address}/undo", page=address).location == address
    page = open_page(editor, address)
    assert page.text(".notice") == "The import was undone."
    assert facts(page)["Kept as they are"] == "1"
    assert "changed after the import" in page.text("#kept tbody .main")
    assert numbers(app) == {"b1": 7, "b2": 99}
    assert page.texts(BUTTONS) == []
    assert open_page(editor, f"{address}/kept").texts("tbody tr .sub") == ["a"]
    assert editor.submit(f"{address}/undo", page="/cities/import").location == address
    assert numbers(app) == {"b1": 7, "b2": 99}


def test_skipped_lines_are_listed(app, as_role, cities):
    cities(("a", "b1", 7))
    editor = as_role("editor")
    address = send(editor, LINES).location
    with app.app_context():
        db.session.execute(update(City).values(usernumber=99))
        db.session.commit()
    confirm(editor, address)
    page = open_page(editor, address)
    assert facts(page)["Skipped lines"] == "1"
    assert "This city was changed after the preview." in page.text("#skipped tbody .main")
    assert open_page(editor, f"{address}/skipped").texts("tbody tr .sub") == ["a"]


def test_while_it_is_applied_the_page_shows_progress_and_says_if_no_worker_runs(
    app, as_role, small_parts, monkeypatch
):
    editor = as_role("editor")
    address = send(editor, LINES).location
    hold(monkeypatch)
    confirm(editor, address)
    page = open_page(editor, address)
    assert page.has("#import[data-live][data-active]")
    assert "No worker is running" in page.text(".notice.caution")
    assert (facts(page)["State"], page.texts(BUTTONS)) == ("Being imported", ["Stop"])
    with app.app_context(), monkeypatch.context() as patch:
        stop_after(patch, "apply_part", 1)
        perform()
    page = open_page(editor, address)
    assert not page.has("[data-active]")
    assert page.texts(BUTTONS) == ["Import the rest", "Undo"]
    assert facts(page)["Lines done"] == "3 of 8"
    assert "stopped after 3 of 8 lines" in page.text(".notice.caution")
    editor.submit(f"{address}/stop", page=address)
    assert facts(open_page(editor, address))["State"] == "Stopped"
    confirm(editor, address)
    with app.app_context():
        perform()
    assert len(numbers(app)) == 8


def hold(monkeypatch):
    """Nothing does jobs while a request waits."""
    monkeypatch.setattr(waiting, "pause", lambda: None)
    monkeypatch.setattr("app.cities.importing.applying.views.WAIT_SECONDS", 0)


def test_stopped_on_its_page_before_it_begins(app, as_role, monkeypatch):
    editor = as_role("editor")
    address = send(editor, LINES).location
    hold(monkeypatch)
    confirm(editor, address)
    assert editor.submit(f"{address}/stop", page=address).location == address
    page = open_page(editor, address)
    assert (facts(page)["State"], facts(page)["Lines done"]) == ("Stopped", "0 of 8")
    assert numbers(app) == {}


def test_the_list_says_who_when_how_many_and_undoes(app, as_role, cities):
    cities(("a", "b1", 7))
    editor = as_role("editor")
    waiting_one = send(editor, LINES, "waiting.csv").location
    address = send(editor, LINES, "first.csv").location
    confirm(editor, address)
    page = open_page(editor, "/cities/imports")
    rows = [page.texts(f"tbody tr:nth-child({n}) td") for n in (1, 2)]
    assert [row[:4] for row in rows] == [
        ["first.csv", "Imported", "editor", "7 added, 1 changed, 1 refused"],
        ["waiting.csv", "Not confirmed yet", "editor", "Lines: 9"],
    ]
    assert page.links("tbody .main a") == [address, waiting_one]
    [button] = page.all("tbody .acts button")
    assert button["aria-label"] == "Undo the import of first.csv"
    assert editor.submit(button["formaction"], page="/cities/imports").status_code == 303
    assert numbers(app) == {"b1": 7}
    assert open_page(editor, "/cities/imports").text("tbody tr:first-child .state") == "Undone"


def test_editors_list_their_own_and_administrators_all(app, as_role):
    send(as_role("editor"), LINES, "mine.csv")
    other = stranger(app)
    assert open_page(other, "/cities/imports").text(".empty p") == "Nothing was imported yet."
    assert open_page(as_role("admin"), "/cities/imports").texts("tbody .main") == ["mine.csv"]
    with app.app_context():
        db.session.execute(update(CityImport).values(person_id=None))
        db.session.commit()
    page = open_page(as_role("admin"), "/cities/imports")
    assert page.texts("tbody tr td:nth-child(3)") == ["Command line"]


def test_the_start_page_offers_undo_of_an_import(app, as_role):
    editor = as_role("editor")
    confirm(editor, send(editor, HEADER + "a,b,1\n").location)
    page = open_page(editor, "/")
    [button] = page.all(".feed button")
    assert button["aria-label"].startswith("Undo: You imported")
    assert editor.submit(button["formaction"], page="/").status_code == 303
    assert "Its page shows how far that is." in open_page(editor, "/").text()
    with app.app_context():
        perform()
    assert "You undid the import of" in open_page(editor, "/").text()
    assert numbers(app) == {}


def test_pages_in_chinese(as_role):
    editor = as_role("editor")
    editor.client.set_cookie("gz_language", "zh")
    address = send(editor, LINES).location
    confirm(editor, address)
    assert facts(open_page(editor, address))["状态"] == "已导入"
    assert open_page(editor, "/cities/imports").text("h1") == "导入记录"


def test_of_an_old_one_that_was_stopped_the_page_offers_nothing(
    app, as_role, monkeypatch, small_parts
):
    editor = as_role("editor")
    address = send(editor, LINES).location
    with monkeypatch.context() as patch:
        stop_after(patch, "apply_part", 1)
        confirm(editor, address)
    with app.app_context():
        db.session.execute(update(CityImport).values(applied_at=now() - timedelta(days=31)))
        db.session.commit()
    page = open_page(editor, address)
    assert "neither finished nor undone" in page.text(".notice")
    assert page.texts(BUTTONS) == []
