"""nginx.conf: limits for each network."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests import servers
from tests.deploy.front import (
    REAL_ADDRESS,
    Front,
    SmallServer,
    assert_headers_once,
    nginx,
    send,
)
from tests.factories import HTML


@pytest.fixture(scope="module")
def front(application: SmallServer) -> Iterator[Front]:
    """nginx in front of the small server, which it waits for as long as the floods take."""
    with nginx(application, server_tokens=REAL_ADDRESS) as front:
        yield front


def flood(front: Front, method: str, path: str, addresses: list[str]) -> Counter[int]:
    """The number of answers by status when each address sends a request at the same time."""
    with ThreadPoolExecutor(len(addresses)) as pool:
        return Counter(pool.map(lambda address: send(front, method, path, address), addresses))


@pytest.mark.parametrize(
    ("flooding", "same", "other"),
    [
        (["192.0.2.7"] * 200, "192.0.2.7", "192.0.2.8"),
        ([f"2001:db8:1:a::{i:x}" for i in range(200)], "2001:db8:1:a:ffff::", "2001:db8:1:b::1"),
        ([f"2001:db8::{i:x}" for i in range(200)], "2001:db8::a:0:0:0", "2001:db8:0:1::"),
    ],
)
def test_forms_are_limited_for_each_network(front, flooding, same, other):
    answers = flood(front, "POST", "/login", flooding)
    assert set(answers) == {200, 429}
    assert answers[200] >= 120
    assert send(front, "POST", "/cities/new", other) == 200
    assert send(front, "GET", "/cities", same) == 200
    assert send(front, "POST", "/upload", same) == 200


def test_requests_in_progress_are_limited_for_each_network(front):
    refused: list[int] = []

    def ask(_number: int) -> int:
        status = send(front, "GET", "/waiting", "198.51.100.1")
        refused.extend([status] if status == 429 else [])
        return status

    with ThreadPoolExecutor(230) as pool:
        answers = pool.map(ask, range(230))
        servers.wait_until(lambda: len(refused) >= 30, "those beyond the limit are refused")
        send(front, "GET", "/release", "198.51.100.2")
        assert Counter(answers) == {200: 200, 429: 30}


def test_a_team_behind_one_address_is_not_refused(front):
    """Forty people who each load ten pages one after another, and a folder of uploads."""

    def work(number: int) -> Counter[int]:
        method, path = ("POST", "/upload") if number % 2 else ("GET", "/cities")
        return Counter(send(front, method, path, "198.51.100.7") for _ in range(10))

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(work, range(40)), Counter()) == {200: 400}


def test_static_files_and_health_checks_are_not_limited(front):
    for path in ("/healthz", "/readyz", "/static/0123456789ab/gazetteer.css"):
        for _ in range(5):
            answers = flood(front, "GET", path, ["198.51.100.9"] * 150)
            assert set(answers) == {200}


def test_a_refusal_has_our_page_and_is_only_in_the_access_log(front):
    def ask(accept: dict[str, str]) -> requests.Response:
        headers = {"X-Address": "203.0.113.1", **accept}
        return requests.post(f"{front.base}/login?of=ours", headers=headers, timeout=60)

    with ThreadPoolExecutor(200) as pool:
        responses = pool.map(ask, [HTML, {}] * 100)
    refusals = {response.text: response for response in responses if response.status_code == 429}
    assert len(refusals) == 2
    for response in refusals.values():
        assert response.headers["Retry-After"] == "2"
        assert_headers_once(response)
    page, answer = sorted(refusals)
    assert "请求过多" in page
    assert json.loads(answer)["status"] == 429
    assert " POST /login 429 " in front.log("nginx")
    assert "limiting" not in front.log("nginx-error")
    assert "of=ours" not in front.log("nginx")


def test_small_pictures_of_a_list_have_a_limit_of_their_own(front):
    for path in ("/files/7/picture/64", "/cities"):
        answers = flood(front, "GET", path, ["198.51.100.11"] * 180)
        assert set(answers) == {200}, path
