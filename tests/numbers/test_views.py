"""The JSON addresses and the page, as people and scripts use them."""

import os
import re
import socket
import time
from urllib.parse import quote

import pytest

from app.numbers import counters, fib, pi, services
from tests.factories import HTML, Browser, add_person, add_token
from tests.html import Page

BAD = ["", "x", "-1", "+1", "1.0", "1e3", "１００", "1_000", " 1", "1 ", "1\n", "0x10", "1/2", "²",
       "null", "%", "\x00", "é" * 500]  # fmt: skip
PI_LIMIT = "9,223,372,036,854,775,808"
ADDRESSES = ["/pi/{}", "/fib/{}", "/pi?n={}"]


@pytest.mark.parametrize(
    ("path", "result"),
    [("/pi", "3.1319807472443624"), ("/pi?n=1000000", "3.141591698659554"), ("/pi/0", "0.0"),
     ("/pi/1", "0.0"), ("/pi/2", "2.449489742783178"), ("/fib/0", "0"), ("/fib/1", "1"),
     ("/fib/93", "12200160415121876738")],
)  # fmt: skip
def test_the_json_is_exact_and_shows_whether_it_was_cached(browser, path, result):
    for cached in ("false", "true", "true"):
        response = browser.get(path)
        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.text == f'{{"cached": {cached}, "result": {result}}}'


def test_the_two_ways_to_name_n_share_a_result(browser):
    assert browser.get("/pi/1000").json["cached"] is False
    assert browser.get("/pi?n=1000").json["cached"] is True
    assert browser.get("/pi/0001000").json["cached"] is True


def test_the_largest_fibonacci_number_has_all_its_digits(browser):
    for cached in ("false", "true"):
        text = browser.get("/fib/1000000").text
        assert text == f'{{"cached": {cached}, "result": {fib.digits(1_000_000)}}}'


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("n", BAD)
def test_an_invalid_n_is_refused_in_one_json_sentence(browser, address, n):
    response = browser.get(address.format(quote(n, safe="")))
    assert response.status_code == 400
    assert response.mimetype == "application/json"
    sentence = response.json["error"]
    assert re.fullmatch(r"n (is missing; it )?must be a whole number [^.]*\.", sentence)
    assert n == "" or f"from 0 to {'1,000,000' if 'fib' in address else PI_LIMIT}." in sentence
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "limit"),
    [(f"/pi/{2**63 + 1}", PI_LIMIT), (f"/pi?n={10**20}", PI_LIMIT), (f"/pi/{'9' * 600}", PI_LIMIT),
     ("/fib/1000001", "1,000,000"), (f"/fib/{2**64}", "1,000,000")],
)  # fmt: skip
def test_a_large_n_is_refused_with_the_limit(browser, path, limit):
    response = browser.get(path)
    assert response.status_code == 422
    assert limit in response.json["error"]


@pytest.mark.parametrize("path", ["/pi/", "/fib", "/fib/"])
def test_an_empty_n_is_refused(browser, path):
    assert browser.get(path).status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused_in_json(browser, method):
    response = getattr(browser.client, method)("/pi/5", headers=HTML)
    assert response.status_code == 405
    assert response.mimetype == "application/json"
    assert "GET" in response.headers["Allow"]


def test_only_a_cached_result_may_be_stored_by_browsers(browser):
    first, second = browser.get("/pi/10"), browser.get("/pi/10")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert second.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.headers["ETag"].startswith('W/"')
    assert browser.get("/pi/11").headers["ETag"] != first.headers["ETag"]


def test_a_client_that_has_the_result_gets_304(browser):
    etag = browser.get("/fib/30").headers["ETag"]
    response = browser.get("/fib/30", headers={"If-None-Match": etag})
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == etag
    assert browser.get("/fib/31", headers={"If-None-Match": etag}).status_code == 200


def test_head_has_the_headers_and_no_body(browser):
    response = browser.client.head("/fib/100000")
    assert (response.status_code, response.data) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(browser.get("/fib/100000").data) + 1


def test_the_response_is_the_same_for_everybody(as_role):
    editor = as_role("editor")
    response = editor.get("/pi/20")
    assert "Vary" not in response.headers
    assert "Set-Cookie" not in response.headers


FIRST = services.UNCOUNTED_FIB + 1  # the smallest n whose computation counts
ELSEWHERE = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}


@pytest.fixture
def two_computations(monkeypatch):
    monkeypatch.setattr(services, "COMPUTATIONS_PER_MINUTE", 2)


def test_120_computations_a_minute_are_allowed(browser):
    statuses = [browser.get(f"/fib/{FIRST + n}").status_code for n in range(121)]
    assert statuses == [200] * 120 + [429]


def test_computations_are_limited_per_address(browser, two_computations):
    assert browser.get(f"/fib/{FIRST}").json["cached"] is False
    assert browser.get(f"/fib/{FIRST + 2}").json["cached"] is False
    response = browser.get(f"/fib/{FIRST + 1}")
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.mimetype == "application/json"
    page = browser.get(f"/numbers?fib={FIRST + 1}")
    assert page.status_code == 429
    assert "Retry-After" in page.headers
    assert browser.get(f"/fib/{FIRST + 1}", **ELSEWHERE).json["cached"] is False


def test_computations_are_limited_per_network_of_ipv6(browser, two_computations):
    for n, status in enumerate((200, 200, 429)):
        address = {"environ_overrides": {"REMOTE_ADDR": f"2001:db8:1:2::{n}"}}
        assert browser.get(f"/fib/{FIRST + n}", **address).status_code == status


def test_cached_results_and_short_computations_are_not_counted(browser, two_computations):
    for n in range(5):
        assert browser.get(f"/fib/{FIRST}").status_code == 200
        assert browser.get(f"/fib/{FIRST - 1 - n}").json["cached"] is False
        for each in (pi.BLOCK, 1000 * pi.BLOCK, pi.LAST_N):
            assert browser.get(f"/pi/{each - n}").json["cached"] is False
    assert browser.get(f"/fib/{FIRST + 1}").json["cached"] is False
    assert browser.get(f"/fib/{FIRST + 2}").status_code == 429
    assert browser.get(f"/fib/{FIRST}").json["cached"] is True


@pytest.mark.parametrize("address", ["/fib/{}", "/numbers?fib={}"])
def test_computations_of_signed_in_people_are_limited_per_person(
    as_role, two_computations, address
):
    editor, viewer = as_role("editor"), as_role("viewer")
    for n, kwargs in ((FIRST, {}), (FIRST + 1, ELSEWHERE)):
        assert editor.get(address.format(n), **kwargs).status_code == 200
    for kwargs in ({}, ELSEWHERE):
        assert editor.get(address.format(FIRST + 2), **kwargs).status_code == 429
    assert viewer.get(address.format(FIRST + 2)).status_code == 200


def test_computations_with_a_token_are_limited_per_person(app, browser, two_computations):
    with app.app_context():
        token = add_token(add_person("script"))
    headers = {"Authorization": f"Bearer {token}"}
    for n, kwargs in ((FIRST, {}), (FIRST + 1, ELSEWHERE)):
        assert browser.get(f"/fib/{n}", headers=headers, **kwargs).status_code == 200
    assert browser.get(f"/fib/{FIRST + 2}", headers=headers).status_code == 429
    assert browser.get(f"/fib/{FIRST + 2}").status_code == 200


def test_a_token_or_session_that_is_not_valid_is_counted_by_address(browser, two_computations):
    browser.client.set_cookie("gz", "not a session")
    for n in range(2):
        assert browser.get(f"/fib/{FIRST + n}").status_code == 200
    wrong = {"Authorization": "Bearer wrong"}
    assert browser.get(f"/fib/{FIRST + 2}", headers=wrong).status_code == 429
    assert browser.get(f"/fib/{FIRST + 2}", headers=wrong, **ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    "away",
    [{"REDIS_URL": "redis://127.0.0.1:1"}, {"DATABASE_URL": "sqlite:////nowhere/there.sqlite"}],
)
def test_figures_are_computed_without_redis_or_database(make_app, two_computations, away):
    browser = Browser(make_app(**away))
    browser.client.set_cookie("gz", "some session")
    for headers in ({}, {"Authorization": "Bearer some-token"}):
        assert browser.get(f"/fib/{FIRST}", headers=headers).status_code == 200


def test_without_redis_computations_are_not_limited(make_app, two_computations):
    browser = Browser(make_app(REDIS_URL="redis://127.0.0.1:1"))
    for n in range(4):
        assert browser.get(f"/fib/{FIRST + n}").json["cached"] is False


def test_the_page_is_open_to_all_and_computes_nothing_unasked(browser, store):
    response = browser.get("/numbers")
    assert response.status_code == 200
    assert not Page(response).has("output")
    assert not store.exists("pis", "fibs")


def test_the_page_shows_both_numbers(browser):
    page = Page(browser.get("/numbers?pi=1000000&fib=93"))
    pi, fibonacci = page.texts("output")
    assert (pi, page.text("output .off")) == ("3.14159 1698659554", "1698659554")
    assert page.one("#pi-result").text == "3.141591698659554"  # what is copied
    assert fibonacci == "12200160415121876738"
    facts = page.texts(".chip")
    assert "6 digits agree with π" in facts
    assert (facts.count("computed now"), facts.count("from the cache")) == (2, 0)
    assert page.one("input[type=hidden][name=fib]")["value"] == "93"
    again = Page(browser.get("/numbers?pi=1000000&fib=93"))
    facts = again.texts(".chip")
    assert (facts.count("computed now"), facts.count("from the cache")) == (0, 2)
    assert "50%" in again.texts(".tallies dd")


def test_the_page_accepts_numbers_as_it_shows_them(browser):
    response = browser.get("/numbers?pi=1,000,000&fib=１ ０００")
    assert response.status_code == 200
    page = Page(response)
    assert {"6 digits agree with π", "209 digits"} <= set(page.texts(".chip"))
    assert page.one("#pi")["value"] == "1,000,000"


def test_the_page_accepts_thousands_of_zeros_before_a_number(browser):
    response = browser.get(f"/numbers?fib={'0' * 4400}5&pi={'0' * 4400}5")
    assert response.status_code == 200
    assert browser.get(f"/numbers/fib/{'0' * 4400}5.txt").text == "5\n"


def test_the_page_names_the_time_in_which_workers_are_counted(browser, monkeypatch):
    assert "workers in the last 10 minutes" in Page(browser.get("/numbers")).texts("dt")
    monkeypatch.setattr(counters, "WORKER_MINUTES", 3)
    assert "workers in the last 3 minutes" in Page(browser.get("/numbers")).texts("dt")


def test_long_and_short_numbers_look_alike(browser):
    classes = set()
    for n in (7, 93, 300, 100_000):
        page = Page(browser.get(f"/numbers?fib={n}"))
        number = page.one(".number > output")
        assert number.text == fib.digits(n)
        assert number.has_attr("tabindex") is (n >= 300)  # it may scroll
        assert page.one("[data-copy]")["data-copy"] == number["id"]
        classes.add(number["class"])
    assert len(classes) == 1


def test_of_a_very_long_number_the_ends_are_shown(browser):
    page = Page(browser.get("/numbers?fib=1000000"))
    digits = fib.digits(1_000_000)
    assert page.text(".number > output") == f"{digits[:500]} … {digits[-500:]}"
    assert "208,988 digits" in page.texts(".chip")
    assert not page.has("[data-copy]")
    (link,) = page.links("a[download]")
    assert browser.get(link).text == digits + "\n"


def test_the_page_says_who_computed_and_who_answered(browser, store):
    here = f"worker {os.getpid()}"

    def facts():
        return Page(browser.get("/numbers?fib=30")).texts(".number-facts dd")

    assert facts() == [f"{here} just now", f"{here} stored it for all workers"]
    store.hset("gz:fibs:by", "30", f"{int(time.time()) - 300} elsewhere:4711")
    assert facts() == ["worker 4711 5 minutes ago", f"{here} found it in the cache"]
    store.hdel("gz:fibs:by", "30")
    assert facts()[0] == "another program or an earlier release"


def test_without_redis_nothing_is_said_of_the_cache(make_app):
    page = Page(Browser(make_app(REDIS_URL="redis://127.0.0.1:1")).get("/numbers?fib=30"))
    here = f"worker {os.getpid()}"
    assert page.texts(".number-facts dd") == [f"{here} just now", here]
    assert not page.has("svg.columns-chart")


def test_a_visitor_does_not_learn_the_name_of_the_host(browser, as_role):
    host = socket.gethostname()
    answers = f"worker {os.getpid()} answers this page"
    assert Page(browser.get("/numbers")).texts(".workers li") == [answers]
    member = f"worker {os.getpid()} on {host} answers this page"
    assert Page(as_role("viewer").get("/numbers")).texts(".workers li") == [member]


def test_the_page_lists_workers_by_when_they_asked(browser, store):
    now = time.time()
    store.zadd(
        counters.WORKERS, {"host:4711": now - 120, **{f"a:{n}": now - 300 for n in range(30)}}
    )
    page = Page(browser.get("/numbers"))
    workers = page.texts(".workers li")
    assert workers[1:3] == ["worker 4711 2 minutes ago", "worker 9 5 minutes ago"]
    assert len(workers) == 20
    assert "And 12 more." in page.texts("p")
    assert page.texts(".tallies dd")[-1] == "32"


def test_the_chart_and_its_table_show_the_hits_of_each_hour(browser, store):
    this = int(time.time()) // 3600
    store.hset(counters.hour_key(this - 2), mapping={"hits": 40, "computed": 7})
    store.hset(counters.hour_key(this - 1), mapping={"hits": 10})
    store.hset(counters.hour_key(this - 30), mapping={"hits": 1000})
    page = Page(browser.get("/numbers"))
    columns = page.all(".columns-chart g rect:not(.columns-hover)")
    assert [float(each["height"].rstrip("%")) for each in columns][-3:] == [100, 25, 0]
    assert len(columns) == 24
    assert page.texts(".columns-chart title")[-3].endswith(": 40 hits")
    assert page.one(".columns-chart")["aria-label"] == "50 hits"
    rows = page.texts("details tbody tr")
    assert [row.split()[-2:] for row in rows[:4]] == [
        ["0", "0"],
        ["10", "0"],
        ["40", "7"],
        ["0", "0"],
    ]
    assert len(rows) == 24


@pytest.mark.parametrize(
    ("path", "name", "content"),
    [
        ("/numbers/fib/300.txt", "fib-300.txt", fib.digits(300)),
        ("/numbers/fib/0093.txt", "fib-93.txt", fib.digits(93)),
        ("/numbers/pi/1000000.txt", "pi-1000000.txt", "3.141591698659554"),
        (f"/numbers/pi/{2**63}.txt", f"pi-{2**63}.txt", "3.14159264498239"),
    ],
)
def test_a_result_is_downloaded_as_text(browser, path, name, content):
    for _ in range(2):
        response = browser.get(path)
        assert (response.status_code, response.text) == (200, f"{content}\n")
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("path", "status"),
    [("/numbers/fib/x.txt", 400), ("/numbers/fib/.txt", 400), ("/numbers/pi/1%0A.txt", 400),
     ("/numbers/fib/1000001.txt", 422), ("/numbers/e/5.txt", 404), ("/numbers/fib/5", 404)],
)  # fmt: skip
def test_a_download_that_is_none_says_why(browser, path, status):
    assert browser.get(path, headers=HTML).status_code == status


def test_downloads_are_limited_like_the_page(browser, two_computations):
    statuses = [browser.get(f"/numbers/fib/{FIRST + n}.txt").status_code for n in (0, 1, 0, 2)]
    assert statuses == [200, 200, 200, 429]


def test_examples_are_sorted_and_work_as_they_are_written(browser):
    page = Page(browser.get("/numbers"))
    for kind in ("pi", "fib"):
        texts = page.texts(f"#{kind}-help a")
        values = [int(text.replace(",", "")) for text in texts]
        assert values == sorted(values)
        for text in texts:
            assert browser.get(f"/numbers?{kind}={text}").status_code == 200
            assert browser.get(f"/{kind}/{text}").status_code == (400 if "," in text else 200)


@pytest.mark.parametrize("typed", ["abc", "-5", "1.000", "1,00", "1.5"])
def test_a_refusal_names_the_limit_that_is_shown(browser, typed):
    page = Page(browser.get(f"/numbers?pi={typed}&fib={typed}"))
    for kind, limit in (("pi", PI_LIMIT), ("fib", "1,000,000")):
        assert f"0 to {limit}," in page.text(f"#{kind}-help")
        assert f"from 0 to {limit}." in page.text(f"#{kind}-error")


@pytest.mark.parametrize(
    ("query", "status"),
    [("pi=x", 400), ("pi=", 400), ("fib=1000001", 422), ("pi=x&fib=1000001", 422)],
)
def test_bad_input_stays_in_the_field_beside_its_message(browser, query, status):
    response = browser.get(f"/numbers?{query}")
    assert response.status_code == status
    page = Page(response)
    for each in query.split("&"):
        name, _sign, typed = each.partition("=")
        assert page.one(f"#{name}[aria-invalid=true]")["value"] == typed
        assert page.has(f"#{name}-error.field-error")


def test_the_title_says_that_a_number_was_refused(browser):
    for query, title in (("pi=x&fib=3", "Error: Numbers"), ("pi=3&fib=3", "Numbers")):
        page = Page(browser.get(f"/numbers?{query}"))
        assert page.one("head > title").text.startswith(title)


def test_each_field_has_a_label_and_names_its_limit_beside_an_error_too(browser):
    for query, described in (("", "pi-help"), ("?pi=-5", "pi-help pi-error")):
        page = Page(browser.get(f"/numbers{query}"))
        assert page.text("label[for=pi]") == "n for π"
        assert page.one("#pi")["aria-describedby"] == described
        assert all(page.has(f"#{each}") for each in described.split())


def test_what_was_typed_is_escaped(browser):
    response = browser.get("/numbers?pi=%22%3E%3Cscript%3E")
    page = Page(response)
    assert not page.has("script:not([type=module])")
    assert page.one("#pi")["value"] == '"><script>'


def test_the_page_knows_who_is_signed_in(as_role):
    assert "Sign out" in Page(as_role("viewer").get("/numbers")).texts("button")
