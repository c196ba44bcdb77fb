"""Single flight over processes: one of them computes, and another takes over if it is killed."""

import itertools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from app.config import ROOT
from app.redis import cache as caches
from app.redis.cache import SharedCache
from app.redis.client import redis_store
from tests import servers
from tests.factories import add_person, csrf_token
from tests.html import Page
from tests.site import PAUSE_SECONDS, Site

CLOSE = {"Connection": "close"}
CACHE = SharedCache("gz:test")
# Its words: how many requests at once, for how many seconds the value is computed, and the lease of
# the lock, which a busy machine may not renew in time. Prints what the requests got.
PROGRAM = """
import sys, threading, time
from app import create_app
from app.config import Settings
from app.redis import cache, lock
from app.redis.client import redis_store

cache.WAIT_SECONDS, lock.LEASE_SECONDS = 60, float(sys.argv[3])
app, found = create_app(Settings.load()), []
together = threading.Barrier(int(sys.argv[1]))

def compute():
    redis_store.client.incr("computed")
    time.sleep(float(sys.argv[2]))
    return "value"

def request():
    with app.app_context():
        together.wait()
        found.append(cache.SharedCache("gz:test").get_or_compute("key", str, compute))

threads = [threading.Thread(target=request) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), *set(found))
"""


@contextmanager
def process(environment, requests, seconds, lease):
    """Another process that asks for the value."""
    words = [sys.executable, "-c", PROGRAM, *map(str, (requests, seconds, lease))]
    env = {**os.environ, "ENV_FILE": os.devnull, "REDIS_TIMEOUT_MS": "10000", **environment}
    popen = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE)
    try:
        yield popen
    finally:
        popen.kill()
        popen.communicate()


@pytest.mark.deploy
def test_of_a_thousand_requests_in_two_processes_one_computes(app, site_environment, store):
    asked = 500, 0.5, 60
    with process(site_environment, *asked) as one, process(site_environment, *asked) as other:
        outputs = [each.communicate(timeout=240)[0] for each in (one, other)]
    assert outputs == [b"500 value\n"] * 2
    assert store.get("computed") == "1"


@pytest.mark.deploy
def test_the_work_of_a_killed_process_is_taken_over(app, site_environment, store, monkeypatch):
    monkeypatch.setattr(caches, "WAIT_SECONDS", 60)
    with process(site_environment, 3, 600, 1) as computing, app.app_context():
        servers.wait_until(lambda: store.get("computed") == "1", "it computes")
        assert store.pttl("gz:lock:gz:test:key") > 0
        computing.kill()
        assert CACHE.get_or_compute("key", str, lambda: "taken over") == "taken over"
        assert redis_store.client.get("gz:test:key").endswith("\ntaken over")


CITIES = "/cities?province=mine"
ROUNDS = 50


def post(site, name, token, province, city):
    """Add a city, through whichever worker takes the connection."""
    fields = {"csrf_token": token, "province": province, "city": city, "number": "1"}
    response = site.clients[name].post(
        f"{site.base}/cities/new", data=fields, headers=CLOSE, timeout=60, allow_redirects=False
    )
    assert response.status_code == 303, response.text


def read(site, name):
    return site.clients[name].get(site.base + CITIES, headers=CLOSE, timeout=60)


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
                assert read(site, name).status_code == 200
            return True

        with ThreadPoolExecutor(6) as pool:
            others = [pool.submit(change, name) for name in people[1:5]]
            others += [pool.submit(look, name) for name in people[5:]]
            try:
                for number in range(ROUNDS):
                    city = f"city-{number:04}"
                    post(site, "writer", tokens["writer"], "mine", city)
                    assert Page(read(site, "writer").text).texts("td.main > a")[0] == city
            finally:
                done.set()
            assert all(other.result() for other in others)
