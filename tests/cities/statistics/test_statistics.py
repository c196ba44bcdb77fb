"""The register at a glance."""

import re

import pytest
from sqlalchemy import insert, text

from app.cities.models import City
from app.cities.rules import keys
from app.cities.statistics import queries, views
from app.database.engine import db
from app.redis.client import redis_store
from tests.cities.conftest import add_as_original


def fill(*rows):
    """Cities as the original program may have left them."""
    db.session.execute(
        insert(City.__table__),
        [{"provincename": p, "cityname": c, "usernumber": n, **keys(p, c)} for p, c, n in rows],
    )
    db.session.commit()


def test_figures_of_an_empty_register(any_app):
    figures = queries.compute_statistics()
    assert (figures.cities, figures.users, figures.provinces, figures.largest) == (0, 0, [], [])
    assert figures.rest == (0, 0, 0)


def test_figures_with_what_the_original_program_left(any_app):
    fill(
        ("广东", "深圳市", 2_000_000_000),
        ("广东", "广州市", 1_000_000_000),
        ("湖南", "长沙市", 5),
        ("湖南", None, None),
        (None, "nowhere", 7),
        ("", "blank", None),
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


def test_blank_provinces_and_cities_have_no_name(any_app):
    add_as_original(
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
        add_as_original(("  ", "\u3000", 7))
    page = as_role("viewer").get("/cities/glance").text
    assert page.count('<a href="/cities/1">City without a name</a>') == 2
    assert '<td class="sub">No province</td>' in page
    assert 'title="No province: 7 users in 1 city"' in page


def test_many_provinces_become_thirty_and_the_rest(any_app):
    fill(*[(f"p{n:03}", f"c{m}", n) for n in range(100) for m in range(2)], (None, "x", 4))
    figures = queries.compute_statistics()
    assert [row[0] for row in figures.provinces[:2]] == ["p099", "p098"]
    assert len(figures.provinces) == 30
    assert figures.rest == (70, 2 * sum(range(70)), 140)


def test_a_rest_of_one_province_is_shown_itself(any_app):
    fill(*[(f"p{n:03}", "c", n) for n in range(31)])
    figures = queries.compute_statistics()
    assert len(figures.provinces) == 31
    assert figures.rest == (0, 0, 0)


def test_names_that_differ_by_case_or_width_are_different_provinces(any_app):
    fill(("a", "x", 1), ("A", "y", 2), ("Ａ", "z", 3))
    assert queries.compute_statistics().province_count == 3


def test_large_numbers_are_also_shown_in_words(app):
    with app.test_request_context():
        assert views.compact(9_999) == ""
        assert views.compact(742_401_221) == "742.4 million"
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert views.compact(742_401_221) == "7.4亿"


def test_the_page_shows_bars_that_lead_to_the_list(app, as_role):
    with app.app_context():
        fill(("广东", "深圳市", 12_000), ("湖 南&", "长沙市", 3000), (None, "x", None))
    page = as_role("viewer").get("/cities/glance").text
    assert 'href="/cities?province=%E5%B9%BF%E4%B8%9C"' in page
    assert 'href="/cities?province=%E6%B9%96+%E5%8D%97%26"' in page
    assert 'href="/cities?flawed=1"' in page
    assert re.findall(r'<rect width="([\d.]+)%"', page) == ["100.0", "25.0", "0.0"]
    assert 'title="广东: 12,000 users in 1 city"' in page
    assert "15,000" in page
    assert "1 city has no number of users" in page
    assert "<details" in page


def test_an_empty_register_says_so(as_role):
    assert "No city yet" in as_role("viewer").get("/cities/glance").text
    assert 'href="/cities/import"' in as_role("editor").get("/cities/glance").text


def test_own_changes_show_at_once_and_others_when_the_cache_expires(app, as_role):
    editor = as_role("editor")
    assert "No city yet" in editor.get("/cities/glance").text
    with app.app_context():
        fill(("a", "by the original program", 4321))
    assert "No city yet" in editor.get("/cities/glance").text
    editor.submit("/cities/new", {"province": "a", "city": "b", "number": "1"})
    assert "4,322" in editor.get("/cities/glance").text
    with app.app_context():
        db.session.execute(text("DELETE FROM city"))
        db.session.commit()
        assert 0 < redis_store.client.ttl("gz:cities:glance") <= 30
        redis_store.client.delete("gz:cities:glance")
    assert "No city yet" in editor.get("/cities/glance").text


def test_it_is_read_by_those_who_read_the_list(browser, make_app):
    assert browser.get("/cities/glance").status_code == 303
    assert make_app(PUBLIC_READ="1").test_client().get("/cities/glance").status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_answers_in_both_languages(app, as_role, language):
    with app.app_context():
        fill(("a", "b", 123_456_789))
    viewer = as_role("viewer")
    viewer.client.set_cookie("gz_language", language)
    assert ("1.2亿" if language == "zh" else "123.5 million") in viewer.get("/cities/glance").text


def test_a_hundred_thousand_cities_are_summed_within_the_time_out_of_a_connection(any_app):
    """MariaDB's have that of the web processes here: a query that takes longer fails."""
    for start in range(0, 100_000, 10_000):
        fill(*[(f"p{n % 500}", f"c{n}", n) for n in range(start, start + 10_000)])
    figures = queries.compute_statistics()
    assert (figures.cities, figures.users) == (100_000, sum(range(100_000)))
