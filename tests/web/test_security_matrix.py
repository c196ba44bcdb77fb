"""The table of permissions in `docs/security.md`, checked for every URL.

A new URL needs a line for each of its methods in the table. Variables in URLs are replaced by
VALUES, ids by 1.
"""

import io
import re

import pytest
from sqlalchemy import select

from app.actor import Actor
from app.auth import queries
from app.auth.sign_in import credentials
from app.cities import services as cities
from app.config import ROOT
from app.database.engine import db
from app.files.folders import services as folders
from app.files.folders.selection import Selection
from app.history.models import HistoryEntry
from app.web.assets import static_files
from app.web.declarations import declarations_of
from tests.factories import (
    HTML,
    PASSWORD,
    Browser,
    add_person,
    add_token,
    connections_held,
)
from tests.files.helpers import PNG
from tests.files.preview.helpers import pdf
from tests.html import Page

ROLES = ("anonymous", "viewer", "editor", "admin", "token")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = {"Accept": "application/json"}


def asks_sign_in(response):
    """True if the response redirects to the sign-in page."""
    return response.status_code == 303 and response.location.split("?")[0] == "/login"


def has_status(response, *statuses):
    """True for one of these statuses, except a redirect to the sign-in page."""
    return response.status_code in statuses and not asks_sign_in(response)


# The words of the table. `may` is for writes: the form is sent empty, so the response to a person
# with permission may also be that a field is missing or that the row does not exist.
OUTCOMES = {
    "page": lambda response: response.status_code == 200,
    "on": lambda response: has_status(response, 301, 302, 303, 308),
    "may": lambda response: has_status(response, 200, 201, 204, 207, 303, 404, 409, 422),
    "sign-in": asks_sign_in,
    "out": asks_sign_in,
}

# Values of variables in URLs; all others are 1.
VALUES = {
    "token": "guess",
    "name": "field notes.txt",
    "folder": "survey/2026",
    "n": "10",
    "kind": "new",
    "path": "mark.svg",
}
# What the editor has uploaded, by the ids from 1 on: a picture and a document have previews; the
# last but one is removed with others, and the last can be undone.
UPLOADED = {
    "field notes.txt": b"Harbour, 14 June",
    "survey/2026/tides.txt": b"Harbour, 14 June",
    "harbour.png": PNG,
    "plan.pdf": pdf(),
    "removed.txt": b"Harbour",
    "mistake.txt": b"Harbour",
}
# URLs that need a query, or other values.
EXAMPLES = {
    "/alter": "/alter?id=1",
    "/delete": "/delete?id=1",
    "/download": "/download?filename=field%20notes.txt",
    "/fib": "/fib?n=10",
    "/files/<file_id>/picture/<size>": "/files/3/picture/64",
    "/files/<file_id>/preview/<name>": "/files/4/preview/plan.pdf",
    "/files/move": "/files/move?file=1",
    "/files/remove": "/files/remove?file=2",
    "/jobs/new/<kind>": "/jobs/new/sum",
    "/numbers/<kind>/<n>.txt": "/numbers/fib/10.txt",
}


def plain(rule):
    """A rule without converters: /files/<int:id> becomes /files/<id>."""
    return re.sub(r"<[^>]*:(\w+)>", r"<\1>", str(rule))


def read_table():
    """Read the table: the words of each role by (address, method)."""
    rows = {}
    for line in (ROOT / "docs" / "security.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `/") and len(cells) == 2 + len(ROLES):
            key = (cells[0].strip("`"), cells[1])
            assert key not in rows, f"{key} is twice in the table"
            rows[key] = dict(zip(ROLES, cells[2:], strict=True))
    return rows


TABLE = read_table()


def example(address):
    """A path that matches the rule."""
    address = EXAMPLES.get(address, address)
    values = {**VALUES, "build": static_files.content_hash()}
    return re.sub(r"<(\w+)>", lambda found: values.get(found[1], "1"), address)


def fits(response, word):
    """True if a response is what the table says."""
    word = word.rstrip("*")
    return OUTCOMES[word](response) if word in OUTCOMES else response.status_code == int(word)


def addresses(app):
    """The methods of every rule."""
    found = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(plain(rule), set()).update(rule.methods - {"HEAD", "OPTIONS"})
    return found


def declarations(app, address):
    """What the view behind an address declares that takes POST."""
    for rule in app.url_map.iter_rules():
        if plain(rule) == address and "POST" in rule.methods:
            return declarations_of(app.view_functions[rule.endpoint])
    raise LookupError(address)


@pytest.fixture
def filled(app, applications, monkeypatch):
    """A filled application on SQLite."""
    app.token, values = applications.filled(app, fill)
    for name, value in values.items():
        monkeypatch.setitem(VALUES, name, value)
    return app


def fill(app):
    """Add a person of each role, cities and files; returns a token of the administrator, and values
    of variables in URLs. The first person, whose account the requests change (disable it, set a
    password), is not one of those that make requests."""
    with app.app_context():
        add_person("somebody")
        for role in ROLES[1:4]:
            add_person(role, role)
        token = add_token(queries.find_person("admin").id)
        cities.add_sample_cities(Actor.operator())
    editor = Browser(app)
    editor.begin_session("editor")
    for name, data in UPLOADED.items():
        file = {"folder" if "/" in name else "file": (io.BytesIO(data), name)}
        assert editor.submit("/upload", file, page="/files").status_code in (200, 303)
    with app.app_context():
        removal = folders.remove_selected(Actor.operator(), Selection((5,), ()))
        uploaded = select(HistoryEntry.id).where(
            HistoryEntry.action == "file.create", HistoryEntry.subject_id == 6
        )
        entry_id = db.session.scalars(uploaded).one()
    return token, {"batch_id": removal.batch_id, "entry_id": str(entry_id)}


class Walker:
    """Requests every URL as one role."""

    def __init__(self, app, role):
        self.app, self.role = app, role
        self.browser = Browser(app)
        self.headers = {"Authorization": f"Bearer {app.token}", **JSON} if role == "token" else HTML
        self.sign_in()

    def sign_in(self):
        if self.role in ROLES[1:4]:
            self.browser.begin_session(self.role)

    def ask(self, address, method):
        path = example(address)
        data = {}
        if method != "GET" and self.role != "token":
            page = "/login" if self.role == "anonymous" else "/account"
            data = {"csrf_token": self.browser.token(page)}
        response = self.browser.client.open(path, method=method, data=data, headers=self.headers)
        response.close()
        if (address, method) == ("/logout", "POST"):
            self.sign_in()
        return response


def test_every_address_is_in_the_table(app):
    missing = {(a, m) for a, methods in addresses(app).items() for m in methods} - set(TABLE)
    assert not missing, f"docs/security.md lacks {sorted(missing)}"


def test_every_line_of_the_table_is_an_address(app):
    known = {(a, m) for a, methods in addresses(app).items() for m in methods}
    assert not set(TABLE) - known, f"docs/security.md names {sorted(set(TABLE) - known)}"


@pytest.mark.parametrize("role", ROLES)
def test_answers_are_what_the_table_says(role, filled):
    walker = Walker(filled, role)
    wrong = []
    for (address, method), words in sorted(TABLE.items(), key=lambda row: row[0][1]):
        response = walker.ask(address, method)
        if not fits(response, words[role]):
            wrong.append(f"{method} {address}: {response.status_code}, not {words[role]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("no_renewal")
@pytest.mark.parametrize("role", ROLES)
def test_no_connection_to_the_database_is_held_while_redis_is_asked(role, filled):
    walker = Walker(filled, role)
    asked, wrong = 0, []
    for address, method in sorted(TABLE, key=lambda key: key[1]):
        with connections_held(filled) as held:
            walker.ask(address, method)
        asked += len(held)
        if any(held):
            wrong.append(f"{method} {address}: {held}")
    assert asked > 10
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["anonymous", "admin"])
def test_other_methods_are_refused(role, filled):
    walker = Walker(filled, role)
    adapter = filled.url_map.bind("localhost")
    for address in addresses(filled):
        path = example(address).split("?")[0]
        for method in set(METHODS) - set(adapter.allowed_methods(path)):
            response = walker.browser.client.open(path, method=method, headers=HTML)
            assert response.status_code == 405, f"{method} {address}"
            assert response.headers["Allow"]


def test_scripts_get_401_where_browsers_are_led_to_the_sign_in(filled):
    client = filled.test_client()
    for (address, method), words in TABLE.items():
        if words["anonymous"].rstrip("*") == "sign-in":
            response = client.open(example(address), method=method, headers=JSON)
            assert response.status_code == 401, f"{method} {address}"
            assert response.headers["WWW-Authenticate"] == "Bearer"


def test_public_read_opens_reading_the_cities_and_nothing_else(make_app, filled):
    client = make_app(PUBLIC_READ="1").test_client()
    for (address, method), words in TABLE.items():
        if words["anonymous"].startswith("sign-in"):
            response = client.open(example(address), method=method, headers=HTML, buffered=True)
            open_to_all = words["anonymous"].endswith("*")
            assert asks_sign_in(response) is not open_to_all, f"{method} {address}"
            assert response.status_code in (200, 303), f"{method} {address}"


def test_forms_need_the_token_of_the_session(filled):
    other = Browser(filled)
    other.sign_in("admin")
    foreign = other.token("/account")
    walker = Walker(filled, "admin")
    for (address, method), words in TABLE.items():
        if method != "GET" and words["admin"] != "404":
            for data in ({}, {"csrf_token": "x"}, {"csrf_token": foreign}):
                if data and declarations(filled, address).visitor_form:
                    continue  # shown again: see tests/auth/test_sign_in_page.py
                response = walker.browser.client.post(example(address), data=data, headers=HTML)
                assert response.status_code == 400, f"{address} with {data}"
                assert Page(response).texts(".error-page p") == [
                    "This form was out of date. Nothing was changed.",
                    "Go back, reload the page and try again.",
                ]
    with filled.app_context():
        assert credentials.verify("somebody", PASSWORD)
