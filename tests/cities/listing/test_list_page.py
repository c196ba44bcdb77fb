"""The page of the list."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from urllib.parse import parse_qs, urlsplit

import pytest
from jinja2 import FileSystemLoader

from app.cities import services
from app.cities.fields import CITY, PROVINCE, USERS
from app.cities.importing.reading.header import COLUMNS
from app.cities.listing import list_page
from app.cities.listing.queries import CityListing
from app.config import LANGUAGES, ROOT
from app.database.cursor import FIRST
from app.database.engine import db
from app.redis.breaker import Breaker
from tests.cities.conftest import ACTOR, add_as_original_before, add_city, given
from tests.factories import Browser, csrf_token, statements
from tests.html import Page

# Of p000 to p199, those with 07 in them.
WITH_07 = [
    "p007",
    "p070",
    "p071",
    "p072",
    "p073",
    "p074",
    "p075",
    "p076",
    "p077",
    "p078",
    "p079",
    "p107",
]


def names(response):
    """The names that a list shows, in order."""
    return Page(response).texts("td.main > a")


def counted(response):
    """The number beside the heading, without the order."""
    return Page(response).text("h1 .figure, h1 + .figure").split(" ·")[0]


def test_visitors_are_redirected_to_sign_in_and_back(browser):
    response = browser.get("/cities?sort=users")
    assert response.status_code == 303
    assert response.location == "/login?next=/cities?sort%3Dusers"
    assert browser.client.get("/cities").status_code == 401


def test_empty_register_says_so_and_offers_to_add_a_city(as_role):
    page = Page(as_role("editor").get("/cities"))
    assert "no city has been added yet" in page.text(".empty")
    assert page.has('.empty a[href="/cities/new"]')
    assert not Page(as_role("viewer").get("/cities")).has('a[href="/cities/new"]')


def test_newest_comes_first_with_the_count(as_role, cities):
    cities(("广东", "深圳市", 17_494_398), ("河北", "石家庄", 5))
    page = as_role("editor").get("/cities")
    assert names(page) == ["石家庄", "深圳市"]
    assert Page(page).texts("td.n") == ["5", "17,494,398"]
    assert counted(page) == "2"
    assert not Page(page).has(".pager")


@pytest.mark.parametrize("language", LANGUAGES)
def test_heads_of_the_list_name_the_columns_of_an_import(as_role, cities, language):
    cities(("广东", "深圳市", 1))
    viewer = as_role("viewer")
    viewer.client.set_cookie("gz_language", language)
    heads = Page(viewer.get("/cities")).texts("th[scope=col] > a")
    known = [COLUMNS.get(head.casefold()) for head in heads]
    assert known == [CITY, PROVINCE, USERS, None]  # the last says when a row was changed


def test_viewer_gets_no_buttons_that_write(as_role, cities):
    cities(("广东", "深圳市", 1))
    buttons = "#row-actions, .acts, [formaction]"
    assert not Page(as_role("viewer").get("/cities")).has(buttons)
    assert Page(as_role("editor").get("/cities")).has('[formaction="/cities/1/delete"]')


def test_public_reading_is_opened_by_its_setting(make_app, cities, app):
    cities(("广东", "深圳市", 1))
    visitor = Browser(make_app(PUBLIC_READ="1"))
    assert names(visitor.get("/cities")) == ["深圳市"]
    assert not Page(visitor.get("/cities")).has(".acts, [formaction]")
    assert visitor.get("/cities/1").status_code == 200
    assert visitor.get("/cities/new").status_code == 303
    assert Browser(app).get("/cities/1").status_code == 303


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=圳", ["深圳市"]),
        ("q=ＳＴＲＡＳＳＥ", ["Straße"]),
        ("q=straße+省", ["Straße"]),
        ("q=straße+广", []),
        ("q=100%25", ["100% a_b"]),
        ("q=%25", ["100% a_b"]),
        ("q=_", ["100% a_b"]),
        ("q=/", []),
        ("province=广东", ["100% a_b", "深圳市"]),
        ("province=广", []),
        ("sort=users", ["深圳市", "100% a_b", "Straße"]),
        ("sort=users&order=asc", ["Straße", "100% a_b", "深圳市"]),
        ("sort=city", ["100% a_b", "Straße", "深圳市"]),
        ("sort=nonsense&order=x&page=x", ["100% a_b", "Straße", "深圳市"]),
    ],
)
def test_search_filter_and_order_are_in_the_address(as_role, cities, query, wanted):
    cities(("广东", "深圳市", 9), ("Ａ省", "Straße", 1), ("广东", "100% a_b", 5))
    page = as_role("viewer").get(f"/cities?{query}")
    assert page.status_code == 200
    assert names(page) == wanted
    assert Page(page).has(".empty") == (not wanted)


def test_active_filters_are_chips_that_can_be_removed(as_role, cities):
    cities(("广东", "深圳市", 9))
    page = Page(as_role("viewer").get("/cities?q=深&province=广东&sort=users"))
    assert "/cities?province=%E5%B9%BF%E4%B8%9C&sort=users" in page.links("a.chip")
    assert page.links("a.clear") == ["/cities?sort=users"]
    assert page.text("option[selected]") == "广东"
    assert page.one('.filters input[type="hidden"][name="sort"]')["value"] == "users"


@pytest.mark.parametrize("name", ["100% %s", "%(id)s", "<b>\"&'+ /?", "%(name)s", "深圳 市"])
def test_a_row_has_its_names_as_they_are(as_role, cities, name):
    cities((name, name, 9))
    row = Page(as_role("editor").get("/cities")).one(".sheet tbody tr")
    [city, province], button = row.select("td > a"), row.select_one("button")
    assert (city.text, province.text) == (name, name)
    assert parse_qs(urlsplit(province["href"]).query) == {"province": [name]}
    assert button["title"] == button["aria-label"] == f"Remove {name}"
    assert button["formaction"] == f"{city['href']}/delete"


def test_what_was_searched_for_is_escaped(as_role, cities):
    cities(("<b>", "<script>alert(1)</script>", 9))
    page = as_role("viewer").get("/cities?q=%22%3E<script>")
    assert "<script>alert" not in page.text
    assert Page(page).one('input[name="q"]')["value"] == '"><script>'


def test_pager_leads_through_the_pages(as_role, cities):
    cities(*(("p", f"c{number:03}", number) for number in range(120)))
    person = as_role("viewer")
    page = person.get("/cities")
    shown = []
    for text in ("1–50 of 120", "51–100 of 120", "101–120 of 120"):
        assert text in Page(page).text(".pager")
        shown += names(page)
        following = Page(page).links("a[rel=next]")
        page = person.get(following[0]) if following else page
    assert following == []
    assert shown == [f"c{number:03}" for number in reversed(range(120))]
    assert names(person.get(Page(page).one("a[rel=prev]")["href"])) == shown[50:100]


def test_search_is_counted_to_a_thousand(as_role, cities):
    cities(*(("p", f"c{number}", number) for number in range(1002)))
    person = as_role("viewer")
    assert counted(person.get("/cities")) == "1,002"
    page = person.get("/cities?q=c")
    assert counted(page) == "more than 1,000"
    page = person.get(Page(page).links(".pager a")[-1])
    assert names(page)[-1] == "c0"
    assert "more than 1,000 in all" in Page(page).text(".pager")


def test_more_provinces_than_a_select_holds_become_a_text_field(as_role, cities):
    cities(*((f"p{number:03}", "c", number) for number in range(200)))
    person = as_role("viewer")
    assert Page(person.get("/cities")).has('select[name="province"]')
    cities(("another", "c", 1))
    person.app.extensions["redis"].delete("gz:cities:mark")
    page = person.get("/cities?province=P007")
    assert Page(page).one('input[name="province"]')["value"] == "P007"
    assert not Page(page).has("select[name=province]")
    assert names(page) == ["c"]
    asked = Page(page).one("[data-combobox]")["data-combobox"]
    assert person.get(f"{asked}?q=07").json == {"provinces": WITH_07}


def test_a_name_that_no_province_has_offers_those_it_may_mean(as_role, cities):
    cities(("Germany 1", "Aachen", 1), ("Germany 2", "Bonn", 1), ("France", "Paris", 1))
    person = as_role("viewer")
    page = Page(person.get("/cities?province=germany&sort=users"))
    assert "No province is called “germany”" in page.text(".empty")
    offered = page.links(".empty a")
    assert [names(person.get(url)) for url in offered] == [["Aachen"], ["Bonn"]]
    none = Page(person.get("/cities?province=atlantis"))
    assert none.text(".empty p") == "No city matches these filters."
    unmatched = Page(person.get("/cities?province=france&q=germany"))
    assert unmatched.text(".empty p") == "No city matches these filters."


def test_the_order_is_shown_and_newest_first_is_one_link_away(as_role, cities):
    cities(("广东", "深圳市", 1), ("广东", "广州市", 2))
    person = as_role("viewer")
    assert "newest first" in Page(person.get("/cities")).text(".order")
    page = Page(person.get("/cities?sort=users&province=广东"))
    assert page.links(".order a") == ["/cities?province=%E5%B9%BF%E4%B8%9C"]


def test_rows_of_the_original_program_are_listed_flagged_and_found(app, as_role):
    with app.app_context():
        add_as_original_before(
            ("广东", "深圳市", 3), (None, "无省", 1), ("河北", "  ", 1), ("a", "b", -1)
        )
    person = as_role("editor")
    page = person.get("/cities")
    assert len(Page(page).all("tr.flawed")) == 3
    assert "City without a name" in names(page)
    assert names(person.get("/cities?q=圳")) == ["深圳市"]
    flawed = person.get("/cities?flawed=1")
    assert names(flawed) == ["b", "City without a name", "无省"]
    assert Page(page).links("a.caution") == ["/cities?flawed=1"]


def test_second_reader_gets_the_list_without_a_query(app, as_role, cities):
    cities(("广东", "深圳市", 1))
    first, second = as_role("editor"), as_role("admin")
    first.get("/cities?sort=users")
    second.get("/numbers")  # from now on Redis knows this person too
    with app.app_context(), statements() as asked:
        assert names(second.get("/cities?sort=users")) == ["深圳市"]
        assert asked == []
        assert names(second.get("/cities?sort=city")) == ["深圳市"]
    assert asked


def test_cached_list_has_neither_token_nor_name_of_a_person(app, as_role, cities):
    cities(("广东", "深圳市", 1))
    page = as_role("editor").get("/cities")
    token = csrf_token(page.text)
    store = app.extensions["redis"]
    cached = [store.get(key) for key in store.keys("gz:cities:list:*")]
    assert len(cached) == 1
    assert "深圳市" in cached[0]
    assert token not in cached[0]
    assert "csrf" not in cached[0]
    assert "editor" not in cached[0].lower()
    assert store.ttl(store.keys("gz:cities:list:*")[0]) <= 30


def test_languages_and_roles_do_not_share_cached_lists(as_role, cities):
    cities(("广东", "深圳市", 1))
    editor, viewer = as_role("editor"), as_role("viewer")
    editor.get("/cities")
    assert not Page(viewer.get("/cities")).has(".acts, [formaction]")
    editor.client.set_cookie("gz_language", "zh")
    assert Page(editor.get("/cities")).one("html")["lang"] == "zh-CN"
    store = editor.app.extensions["redis"]
    assert len(store.keys("gz:cities:list:*")) == 3


def test_change_shows_at_once_in_every_cached_list(app, as_role, cities):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    assert names(person.get("/cities")) == ["深圳市"]
    with app.app_context():
        services.create_city(ACTOR, given("河北", "石家庄", 2))
    page = person.get("/cities")
    assert names(page) == ["石家庄", "深圳市"]
    assert counted(page) == "2"


def test_list_is_right_with_an_empty_cache_and_without_redis(app, cities, monkeypatch):
    cities(("广东", "深圳市", 1))
    with app.test_request_context():
        listing = CityListing()
        with_cache = list_page.list_content(ACTOR, listing, FIRST)
        app.extensions["redis"].flushdb()
        assert list_page.list_content(ACTOR, listing, FIRST) == with_cache
        unreachable = app.extensions["redis"].__class__.from_url("unix:///nowhere.sock")
        unreachable.breaker = Breaker()
        monkeypatch.setitem(app.extensions, "redis", unreachable)
        assert list_page.list_content(ACTOR, listing, FIRST) == with_cache
        services.create_city(ACTOR, given("河北", "石家庄", 2))
        assert "石家庄" in list_page.list_content(ACTOR, listing, FIRST)
        unreachable.close()


@pytest.mark.parametrize(
    "changed",
    [
        "templates/cities/_table.html",
        "templates/_macros/table.html",
        "translations/zh/LC_MESSAGES/messages.mo",
        "app/cities/listing/row_format.py",
    ],
)
def test_what_another_release_has_drawn_is_not_shown(make_app, tmp_path, monkeypatch, changed):
    for path in ("templates", "translations", "app/cities"):
        shutil.copytree(ROOT / path, tmp_path / path)
    monkeypatch.setattr(list_page, "ROOT", tmp_path)

    def drawn_by_a_new_process():
        monkeypatch.setattr(list_page, "source_hash", cache(list_page.source_hash.__wrapped__))
        app = make_app(own=True)
        app.jinja_env.loader = FileSystemLoader(tmp_path / "templates")
        with app.test_request_context():
            content = list_page.list_content(ACTOR, CityListing(), FIRST)
            return content, len(app.extensions["redis"].keys("gz:cities:list:*"))

    with make_app().app_context():
        add_city()
    first, _count = drawn_by_a_new_process()
    assert drawn_by_a_new_process() == (first, 1)
    with (tmp_path / changed).open("ab") as file:
        file.write(b"\n# the next release\n")
    content, count = drawn_by_a_new_process()
    assert count == 2
    assert ("the next release" in content) == (changed == "templates/cities/_table.html")


def test_a_web_process_takes_the_digest_when_it_starts(make_app, monkeypatch):
    """Later the files may be those of the next release, which it does not draw with."""
    monkeypatch.setattr(list_page, "source_hash", cache(list_page.source_hash.__wrapped__))
    make_app(own=True)
    assert list_page.source_hash.cache_info().currsize == 1


def test_limits_of_the_filters_are_those_of_the_code(as_role, cities, monkeypatch):
    monkeypatch.setattr(list_page, "SEARCH_LENGTH", 37)
    monkeypatch.setattr(list_page.queries, "PROVINCES_MOST", 2)
    cities(("a", "x", 1), ("b", "x", 1), ("c", "x", 1))
    page = Page(as_role("viewer").get("/cities"))
    assert page.one('input[name="q"]')["maxlength"] == "37"
    assert not page.has("select[name=province]")


def test_what_was_read_before_a_change_is_not_cached_after_it(any_app):
    city_id = add_city(province="广东")
    row = services.load_city(ACTOR, city_id)  # this request sees the register as it is now
    with ThreadPoolExecutor(1) as thread:
        thread.submit(create_in_another_request, any_app).result()
    assert list_page.register_facts(ACTOR).provinces == ["广东", "河北"]
    assert row.provincename == "广东"
    db.session.rollback()
    assert list_page.register_facts(ACTOR).total.cities == 2


def create_in_another_request(app):
    """A committed change."""
    with app.test_request_context():
        services.create_city(ACTOR, given("河北", "石家庄", 2))
        db.session.remove()
