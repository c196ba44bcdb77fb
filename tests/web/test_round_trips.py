"""How many statements a page sends to the database, and how many times it waits for Redis.

BOUNDS has what pages need today; lower a line when its page needs less. A page that is not named
there must not need more than OTHERS.
"""

import pytest

from app.cities import cache as cities
from app.database.engine import db
from app.files import cache as files
from tests.cities.conftest import NEW, add_city, version_of
from tests.factories import HTML, Browser, add_person, connections_held, statements
from tests.web.test_security_matrix import addresses, example, fill

CHANGED = "after changes of cities and files"
ELSEWHERE = "after a change of another province"
COMPUTED = "computed"
CACHED = "cached"

# Asked by an editor whom Redis knows, or by a visitor: address, who asks, state of the cache, and
# at most so many statements and trips to Redis.
BOUNDS = [
    ("/", "editor", CHANGED, 24, 6),
    ("/", "editor", CACHED, 15, 4),
    ("/", "visitor", CACHED, 1, 0),
    ("/login", "visitor", CACHED, 1, 0),
    ("/cities", "editor", CHANGED, 5, 5),
    ("/cities", "editor", CACHED, 0, 2),
    ("/cities?q=州", "editor", CHANGED, 6, 7),
    ("/cities?q=州", "editor", CACHED, 0, 2),
    ("/cities?province=广东", "editor", CHANGED, 7, 7),
    ("/cities?province=广东", "editor", ELSEWHERE, 4, 4),
    ("/cities?province=广东", "editor", CACHED, 0, 3),
    ("/cities?sort=users", "editor", CHANGED, 5, 5),
    ("/cities/new", "editor", CHANGED, 4, 3),
    ("/cities/new", "editor", CACHED, 0, 2),
    ("/cities/1", "editor", CACHED, 7, 3),
    ("/cities/glance", "editor", CHANGED, 9, 5),
    ("/cities/glance", "editor", CACHED, 0, 3),
    ("/files", "editor", CHANGED, 6, 5),
    ("/files", "editor", CACHED, 2, 3),
    ("/files/1/details", "editor", CACHED, 9, 1),
    ("/files/1", "editor", CACHED, 1, 2),
    ("/files/removed/folders", "admin", CACHED, 5, 1),
    ("/download/field%20notes.txt", "editor", CACHED, 1, 2),
    ("/history", "admin", CACHED, 13, 1),
    ("/search?q=州", "editor", CACHED, 4, 1),
    ("/numbers?pi=1000", "editor", CACHED, 0, 3),
    ("/pi/1000", "visitor", COMPUTED, 0, 2),
    ("/pi/1000", "visitor", CACHED, 0, 1),
    ("/fib/30000", "visitor", COMPUTED, 0, 3),
    ("/fib/1000", "visitor", CACHED, 0, 1),
    ("/session", "editor", CACHED, 0, 3),
    ("/account", "editor", CACHED, 1, 4),
    ("/jobs", "admin", CACHED, 4, 2),
    ("/healthz", "visitor", CACHED, 0, 0),
]
OTHERS = (3, 3)


pytestmark = pytest.mark.usefixtures("no_renewal")


@pytest.fixture
def filled(app, applications):
    applications.filled(app, fill)
    return app


@pytest.fixture
def ask(filled):
    """Request a page as somebody; returns the statements sent and the number of trips to Redis."""

    def ask(path, who, state=CACHED):
        browser = Browser(filled)
        if who != "visitor":
            browser.begin_session(who)
        for _time in range(2):
            browser.get(path, buffered=True)
        with filled.app_context():
            if state is CHANGED:
                cities.CACHE.invalidate()
                files.invalidate()
            elif state is ELSEWHERE:
                cities.CACHE.invalidate(cities.part_of("another"))
            elif state is COMPUTED:
                filled.extensions["redis"].delete("pis", "fibs")
        with filled.app_context(), statements() as sent, connections_held(filled) as trips:
            response = browser.client.get(path, headers=HTML, buffered=True)
        assert response.status_code < 500, response.text
        return [text for text, _values in sent if not text.startswith("BEGIN")], len(trips)

    return ask


@pytest.mark.parametrize(
    ("path", "who", "state", "most", "most_trips"),
    BOUNDS,
    ids=[" ".join(map(str, bound[:3])) for bound in BOUNDS],
)
def test_page_needs_no_more_than_its_bounds(path, who, state, most, most_trips, ask):
    sent, trips = ask(path, who, state)
    assert len(sent) <= most, sent
    assert trips <= most_trips


def test_no_other_page_needs_much_more(filled, ask):
    named = {path.partition("?")[0] for path, *_more in BOUNDS}
    found = {}
    for address, methods in addresses(filled).items():
        path = example(address)
        if "GET" in methods and path.partition("?")[0] not in named:
            sent, trips = ask(path, "admin")
            found[path] = (len(sent), trips)
    assert len(found) > 20
    most, most_trips = OTHERS
    assert not {
        path: numbers
        for path, numbers in found.items()
        if numbers[0] > most or numbers[1] > most_trips
    }


# Forms of cities, sent by an editor: at most so many statements on SQLite and on MariaDB, and trips
# to Redis. The lock of a name is a statement of its own on MariaDB.
FORMS = {
    "new": (lambda n: ("/cities/new", {"city": f"another {n}", "key": "k"}), 4, 5, 2),
    "number": (lambda n: (f"/cities/{n}", {"city": f"c{n}", "version": version_of(n)}), 3, 3, 2),
    "name": (lambda n: (f"/cities/{n}", {"city": f"new{n}", "version": version_of(n)}), 4, 5, 2),
    "delete": (lambda n: (f"/cities/{n}/delete", {}), 4, 4, 2),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_needs_no_more_than_its_bounds(any_app, name):
    address_and_fields, on_sqlite, on_mariadb, most_trips = FORMS[name]
    add_person("editor", "editor")
    browser = Browser(any_app)
    browser.begin_session("editor")
    for number in range(1, 3):
        add_city(city=f"c{number}")
    for number in range(1, 3):
        path, fields = address_and_fields(number)
        form = {**NEW, **fields, "csrf_token": browser.token("/cities/new")}
        with statements() as sent, connections_held(any_app) as trips:
            response = browser.client.post(path, data=form, headers=HTML)
        assert response.status_code == 303, response.text
    most = on_sqlite if db.engine.dialect.name == "sqlite" else on_mariadb
    texts = [text for text, _values in sent if not text.startswith("BEGIN")]
    assert 0 < len(texts) <= most, texts
    assert len(trips) <= most_trips
