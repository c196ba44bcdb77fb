"""Whoever changed something sees it at once, also over several processes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import servers
from tests.factories import add_person, csrf_token
from tests.html import Page
from tests.site import Site

CLOSE = {"Connection": "close"}
CITIES = "/cities?province=mine"
ROUNDS = 50
PAUSE_SECONDS = 0.01


def post(site, name, token, province, city):
    """Add a city, through whichever worker takes the connection."""
    fields = {"csrf_token": token, "province": province, "city": city, "number": "1"}
    response = site.clients[name].post(
        f"{site.base}/cities/new", data=fields, headers=CLOSE, timeout=60, allow_redirects=False
    )
    assert response.status_code == 303, response.text


def read(site, name):
    response = site.clients[name].get(site.base + CITIES, headers=CLOSE, timeout=60)
    assert response.status_code == 200, response.text
    return Page(response.text)


@pytest.mark.deploy
def test_the_writer_never_sees_the_previous_list(app, site_environment, tmp_path):
    """Over two workers, while four others change other cities and two read the same list."""
    people = ["writer", *(f"other{number}" for number in range(6))]
    with app.app_context():
        for name in people:
            add_person(name, "editor")
    settings, done = {**site_environment, "WEB_WORKERS": "2"}, threading.Event()
    log, target = tmp_path / "web.log", "tests.redis.wsgi:app"
    with servers.gunicorn_server(settings, log, target) as base:
        site = Site(base)
        tokens = {}
        for name in people:
            client = site.sign_in(name)
            tokens[name] = csrf_token(client.get(f"{base}/cities/new", timeout=60).text)

        def change(name):
            for number in itertools.count(1):
                post(site, name, tokens[name], name, f"c{number}")
                if done.wait(PAUSE_SECONDS):
                    break
            return number

        def look(name):
            while not done.wait(PAUSE_SECONDS):
                read(site, name)
            return True

        with ThreadPoolExecutor(6) as pool:
            others = [pool.submit(change, name) for name in people[1:5]]
            others += [pool.submit(look, name) for name in people[5:]]
            try:
                for number in range(ROUNDS):
                    city = f"city-{number:04}"
                    post(site, "writer", tokens["writer"], "mine", city)
                    assert read(site, "writer").texts("td.main > a")[:1] == [city]
            finally:
                done.set()
            assert all(other.result() for other in others)
