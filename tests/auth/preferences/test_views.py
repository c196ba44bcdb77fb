"""Choosing language, time zone and rows, by the switches and on the account page."""

import json

import pytest

from app.auth import queries
from app.auth.preferences.services import update_preferences
from app.auth.sessions.epochs import person_key
from app.database.engine import db
from tests.factories import HTML, Browser, actor_of, add_token, statements
from tests.html import Page

ADDRESS = "/account/preferences"
FORM = "#reading"


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def choose(browser, **fields):
    data = {"language": "", "time_zone": "", "page_size": "50", **fields}
    return browser.submit(ADDRESS, data, page="/account")


def language_of(browser, page="/account"):
    return Page(browser.get(page)).one("html")["lang"]


def zone_of(browser, page="/account"):
    return Page(browser.get(page)).one("html")["data-zone"]


def second_browser(app):
    browser = Browser(app)
    browser.begin_session("viewer")
    return browser


def test_visitors_cannot_store_preferences_of_a_person(browser):
    assert browser.client.post(ADDRESS, headers=HTML).status_code == 303
    assert browser.client.post(ADDRESS).status_code == 401


def test_a_token_is_not_enough(app, viewer, browser):
    with app.app_context():
        token = add_token(queries.find_person("viewer").id)
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.client.post(ADDRESS, data={}, headers=headers).status_code == 403
    response = browser.client.post("/preferences", data={"rows": "100"}, headers=headers)
    assert response.status_code == 303
    with app.app_context():
        assert queries.find_person("viewer").page_size is None


def test_the_account_page_stores_what_applies_in_all_browsers(app, viewer):
    other = second_browser(app)
    assert language_of(other) == "en"
    response = choose(viewer, language="zh", time_zone="new york", page_size="100")
    assert (response.status_code, response.location) == (303, "/account")
    for each in (viewer, other):
        page = Page(each.get("/account"))
        assert page.one("html")["lang"] == "zh-CN"
        assert page.one("html")["data-zone"] == "America/New_York"
        assert page.one(f"{FORM} [name=time_zone]")["value"] == "纽约"
        selected = [option["value"] for option in page.all(f"{FORM} option[selected]")]
        assert selected == ["zh", "100"]
    # The browser's own again.
    choose(viewer)
    for each in (viewer, other):
        assert language_of(each) == "en"
        assert zone_of(each) == "Asia/Shanghai"
        assert not Page(each.get("/account")).has("[data-zone-chosen]")


def test_the_notice_is_in_the_new_language(viewer):
    choose(viewer, language="zh")
    assert Page(viewer.get("/account")).text(".notice") == "偏好设置已保存。"


def test_wrong_input_is_shown_again_with_messages(viewer):
    response = choose(viewer, language="tlh", time_zone="Mars/Olympus", page_size="7")
    assert response.status_code == 422
    page = Page(response)
    assert page.one(f"{FORM} [name=time_zone]")["value"] == "Mars/Olympus"
    assert page.texts(f"{FORM} .field-error") == [
        "Error: Choose one of the languages.",
        "Error: Choose a city from the list, such as Berlin, or type a time zone, such as"
        " Europe/Berlin.",
        "Error: Choose one of these numbers of rows.",
    ]
    assert not page.has("form:not(#reading) .field-error")
    assert language_of(viewer) == "en"


@pytest.mark.parametrize(
    ("language", "cities"), [("en", {"Berlin", "Beijing"}), ("zh", {"柏林", "北京", "上海"})]
)
def test_the_list_of_cities_can_be_searched_without_a_script(viewer, language, cities):
    choose(viewer, language=language)
    page = Page(viewer.get("/account"))
    field = page.one(f"{FORM} [name=time_zone]")
    offered = [each["value"] for each in page.all(f"datalist#{field['list']} option")]
    assert cities <= set(offered)


def test_the_switch_of_the_bar_stores_the_language_for_the_person(app, viewer):
    other = second_browser(app)
    viewer.submit("/preferences", {"language": "zh", "next": "/account"}, page="/account")
    assert language_of(viewer) == "zh-CN"
    assert language_of(other) == "zh-CN"
    # The person's language counts, not what somebody else chose in this browser before.
    other.client.set_cookie("gz_language", "en")
    assert language_of(other) == "zh-CN"


def test_signing_in_in_another_browser_brings_the_language_along(app, viewer):
    viewer.submit("/preferences", {"language": "zh", "next": "/account"}, page="/account")
    fresh = Browser(app)
    assert language_of(fresh, "/login") == "en"
    fresh.sign_in("viewer")
    assert language_of(fresh) == "zh-CN"


def test_a_change_that_is_not_a_preference_of_people_writes_nothing(app, viewer):
    viewer.get("/account")
    with app.app_context(), statements() as sent:
        viewer.submit("/preferences", {"scheme": "dark", "next": "/session"}, page="/session")
        assert sent == []


def test_preferences_cost_no_statement(app, viewer):
    choose(viewer, language="zh", time_zone="Europe/Berlin", page_size="100")
    viewer.get("/session")
    with app.app_context(), statements() as sent:
        assert zone_of(viewer, "/session") == "Europe/Berlin"
        assert sent == []


def test_a_session_of_the_previous_release_goes_on(app, viewer, store):
    """Its workers write the epoch of a person without preferences."""
    with app.app_context():
        person_id = queries.find_person("viewer").id
        update_preferences(actor_of(person_id), language="zh")
    assert language_of(viewer) == "zh-CN"
    store.hdel(person_key(person_id), "preferences")
    assert language_of(viewer) == "zh-CN"
    assert json.loads(store.hget(person_key(person_id), "preferences"))["language"] == "zh"


def test_what_else_is_in_redis_or_the_database_is_ignored(app, viewer, store):
    with app.app_context():
        person = queries.find_person("viewer")
        person.language, person.time_zone, person.page_size = "tlh", "Mars/Olympus", 7
        person_id = person.id
        db.session.commit()
    assert (language_of(viewer), zone_of(viewer)) == ("en", "Asia/Shanghai")
    store.hset(person_key(person_id), "preferences", "damaged")
    assert language_of(viewer) == "en"


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [("America/New_York", "America/New_York"), ("Mars/Olympus", "Asia/Shanghai"),
     ("../../etc/passwd", "Asia/Shanghai"), ("%00", "Asia/Shanghai"), ("", "Asia/Shanghai")],
)  # fmt: skip
def test_the_zone_of_the_browser_is_that_of_the_cookie(browser, cookie, zone):
    browser.client.set_cookie("gz_zone", cookie)
    assert zone_of(browser, "/login") == zone


def test_a_chosen_zone_counts_before_the_cookie(viewer):
    viewer.client.set_cookie("gz_zone", "America/New_York")
    assert zone_of(viewer) == "America/New_York"
    choose(viewer, time_zone="Europe/Berlin")
    page = Page(viewer.get("/account"))
    assert page.one("html[data-zone-chosen]")["data-zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("settings", "name"), [({}, "gz_zone"), ({"SECURE": "1"}, "__Host-gz_zone")]
)
def test_the_script_is_given_the_name_of_its_cookie(make_app, settings, name):
    page = Page(Browser(make_app(**settings)).get("/login"))
    assert page.one("html")["data-zone-cookie"] == name
