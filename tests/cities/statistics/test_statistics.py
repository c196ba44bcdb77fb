"""The register at a glance."""

import pytest
from sqlalchemy import text

from app.cities.statistics import queries
from app.database.engine import db
from app.redis.client import redis_store
from tests.cities.conftest import add_as_original_before, add_cities, multiply_cities
from tests.html import Page


def test_figures_of_an_empty_register(any_app):
    figures = queries.compute_statistics()
    assert (figures.cities, figures.users, figures.provinces, figures.largest) == (0, 0, [], [])
    assert figures.rest == (0, 0, 0)


def test_figures_with_what_the_original_program_left(any_app):
    add_cities(
        ("广东", "深圳市", 2_000_000_000),
        ("广东", "广州市", 1_000_000_000),
        ("湖南", "长沙市", 5),
        ("湖南", None, None),
        (None, "nowhere", 7),
        ("", "no province", None),
        ("A", "negative", -3),
    )
    figures = queries.compute_statistics()
    assert figures.cities == 7
    assert figures.users == 3_000_000_009
    assert figures.unnumbered == 2
    assert figures.province_count == 3
    assert figures.provinces == [("广东", 3_000_000_000, 2), ("湖南", 5, 2), ("A", -3, 1)]
    assert figures.nowhere == (7, 2)
    assert figures.rest == (0, 0, 0)
    assert [row[1:] for row in figures.largest][:3] == [
        ("深圳市", "广东", 2_000_000_000), ("广州市", "广东", 1_000_000_000), ("nowhere", "", 7),
    ]  # fmt: skip
    assert len(figures.largest) == 5


def test_provinces_and_cities_of_spaces_have_no_name(any_app):
    add_as_original_before(
        *((p, c, 1) for p in (None, "", "  ", "\u3000", "\t") for c in (None, " \u3000")),
        ("广东", "深圳市", 2),
    )
    figures = queries.compute_statistics()
    assert figures.nowhere == (10, 10)
    assert figures.provinces == [("广东", 2, 1)]
    assert figures.province_count == 1
    assert figures.rest == (0, 0, 0)


def test_missing_names_are_replaced_on_the_page(app, as_role):
    with app.app_context():
        add_as_original_before(("  ", "\u3000", 7))
    page = Page(as_role("viewer").get("/cities/glance"))
    assert page.texts('a[href="/cities/1"]') == ["City without a name"] * 2
    assert page.text("td.sub") == "No province"
    assert page.one("a.bars-row")["title"] == "No province: 7 users in 1 city"


def test_many_provinces_become_thirty_and_the_rest(any_app):
    add_cities(*[(f"p{n:03}", f"c{m}", n) for n in range(100) for m in range(2)], (None, "x", 4))
    figures = queries.compute_statistics()
    assert [row[0] for row in figures.provinces[:2]] == ["p099", "p098"]
    assert len(figures.provinces) == 30
    assert figures.rest == (70, 2 * sum(range(70)), 140)


def test_a_rest_of_one_province_is_shown_itself(any_app):
    add_cities(*[(f"p{n:03}", "c", n) for n in range(31)])
    figures = queries.compute_statistics()
    assert len(figures.provinces) == 31
    assert figures.rest == (0, 0, 0)


def test_provinces_that_look_the_same_are_one_and_case_counts(any_app):
    add_cities(("a", "x", 1), ("A", "y", 2), (" A\u200b", "z", 3))
    figures = queries.compute_statistics()
    assert figures.provinces == [("A", 5, 2), ("a", 1, 1)]
    assert figures.province_count == 2


def test_a_province_has_the_name_that_its_largest_city_gives_it(any_app):
    add_cities(("Ａ（x）", "a", 1), ("A(x)", "b", 3), ("A(x) ", "c", None))
    assert queries.compute_statistics().provinces == [("A(x)", 4, 3)]
    add_cities(("Ａ（x）", "d", 3))
    assert queries.compute_statistics().provinces == [("Ａ（x）", 7, 4)]


def test_of_bars_many_times_as_long_as_the_others_a_few_are_cut(any_app):
    add_cities(("a", "x", 2_147_483_647), ("b", "x", 100), ("c", "x", 90))
    assert queries.compute_statistics().scale == 125
    add_cities(("d", "x", 2_000_000_000))
    assert queries.compute_statistics().scale == 125
    add_cities(("e", "x", 1_900_000_000))
    figures = queries.compute_statistics()
    assert figures.scale == figures.longest == 2_147_483_647


def test_scale_of_few_bars_is_the_longest(any_app):
    add_cities(("a", "x", 1000))
    assert queries.compute_statistics().scale == 1000
    add_cities(("b", "x", 0), ("c", "x", -5))
    assert queries.compute_statistics().scale == 1000


def test_a_cut_bar_is_named(app, as_role):
    with app.app_context():
        add_cities(("河北", "x", 2_000_000_000), ("广东", "y", 100), ("湖南", "z", 50))
    page = Page(as_role("viewer").get("/cities/glance"))
    assert [bar["width"] for bar in page.all(".bars svg")] == ["100.0%", "80.0%", "40.0%"]
    assert [len(page.all(f".bars li:nth-child({n}) rect")) for n in (1, 2, 3)] == [2, 1, 1]
    assert "The bar of 河北 is cut" in page.text(".bars-rest")


def test_files_are_counted_for_members_and_people_for_administrators(make_app, app, as_role):
    with app.app_context():
        add_cities(("广东", "深圳市", 1))
    links = {
        role: Page(as_role(role).get("/cities/glance")).links(".stat a")
        for role in ("viewer", "admin")
    }
    assert links["viewer"] == ["/cities", "/cities/1", "/files"]
    assert links["admin"] == ["/cities", "/cities/1", "/files", "/people"]
    visitor = make_app(PUBLIC_READ="1").test_client().get("/cities/glance")
    assert Page(visitor).links(".stat a") == ["/cities", "/cities/1"]


def test_the_page_shows_bars_that_lead_to_the_list(app, as_role):
    with app.app_context():
        add_cities(("广东", "深圳市", 12_000), ("湖 南&", "长沙市", 3000), (None, "x", None))
    page = Page(as_role("viewer").get("/cities/glance"))
    urls = [
        "/cities?province=%E5%B9%BF%E4%B8%9C",
        "/cities?province=%E6%B9%96+%E5%8D%97%26",
        "/cities?no_province=1",
    ]
    assert page.links("a.bars-row") == page.links("details.below a") == urls
    assert [bar["width"] for bar in page.all(".bars svg")] == ["100.0%", "25.0%", "0.0%"]
    assert page.all("a.bars-row")[0]["title"] == "广东: 12,000 users in 1 city"
    assert page.texts(".stat .value")[0] == "15,000"
    assert "1 city has no number of users" in page.text(".tallies-note")


def total_of(person):
    """The number of users on the page; None if it says that there is no city."""
    page = Page(person.get("/cities/glance"))
    return None if "No city yet" in page.text("main") else page.texts(".stat .value")[0]


def test_an_empty_register_says_so(as_role):
    assert total_of(as_role("viewer")) is None
    assert Page(as_role("editor").get("/cities/glance")).has('.empty a[href="/cities/import"]')


def test_own_changes_show_at_once_and_others_when_the_cache_expires(app, as_role):
    editor = as_role("editor")
    assert total_of(editor) is None
    with app.app_context():
        add_cities(("a", "by the original program", 4321))
    assert total_of(editor) is None
    editor.submit("/cities/new", {"province": "a", "city": "b", "number": "1"})
    assert total_of(editor) == "4,322"
    with app.app_context():
        db.session.execute(text("DELETE FROM city"))
        db.session.commit()
        assert 0 < redis_store.client.ttl("gz:cities:glance") <= 30
        redis_store.client.delete("gz:cities:glance")
    assert total_of(editor) is None


def test_it_is_read_by_those_who_read_the_list(browser, make_app):
    assert browser.get("/cities/glance").status_code == 303
    assert make_app(PUBLIC_READ="1").test_client().get("/cities/glance").status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_answers_in_both_languages(app, as_role, language):
    with app.app_context():
        add_cities(("a", "b", 123_456_789))
    viewer = as_role("viewer")
    viewer.client.set_cookie("gz_language", language)
    page = Page(viewer.get("/cities/glance"))
    assert page.texts(".stat .label")[0] == ("用户总数" if language == "zh" else "users in all")


def test_a_hundred_thousand_cities_are_summed_within_the_time_out_of_a_connection(any_app):
    """Connections have that of the web processes here: a query that takes longer fails. On SQLite,
    which is slower to fill, they are fewer."""
    times = 20 if db.engine.dialect.name == "sqlite" else 100
    add_cities(*[(f"p{n % 500}", f"c{n}", n) for n in range(1000)])
    multiply_cities(times)
    figures = queries.compute_statistics()
    assert (figures.cities, figures.users) == (1000 * times, times * sum(range(1000)))
