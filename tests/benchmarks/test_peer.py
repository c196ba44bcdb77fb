"""The application with which `make bench` compares ours does what it is measured at."""

import io

import pytest
from sqlalchemy import func, select

from tests.benchmarks.peer.application import add_user, create_app
from tests.benchmarks.peer.models import Change, City, File, db
from tests.factories import PASSWORD, csrf_token
from tests.html import Page

ROWS = 120
NEW = {"province": "广东", "city": "深圳市", "number": "5"}


@pytest.fixture
def app(tmp_path, redis_url):
    app = create_app({
        "DATABASE_URL": f"sqlite:///{tmp_path / 'peer.sqlite'}",
        "REDIS_URL": redis_url,
        "SECRET_KEY": "b" * 64,
        "FILES_DIR": str(tmp_path / "files"),
    })  # fmt: skip
    with app.app_context():
        db.create_all()
        add_user("editor", PASSWORD)
        db.session.add_all(
            City(province="河北", name=f"{'ab'[number % 2]}{number}", users=number)
            for number in range(ROWS)
        )
        db.session.commit()
        yield app
        db.session.remove()
        db.engine.dispose()
    app.config["SESSION_REDIS"].close()


@pytest.fixture
def client(app):
    client = app.test_client()
    client.post("/login", data={"name": "editor", "password": PASSWORD, **token(client, "/login")})
    return client


def token(client, path):
    return {"csrf_token": csrf_token(client.get(path).text)}


def rows(client, path):
    return Page(client.get(path)).texts("td.main")


def test_every_page_needs_a_sign_in(app):
    paths = [rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods]
    pages = set(paths) - {"/healthz", "/login", "/static/<path:filename>"}
    for path in pages:
        answer = app.test_client().get(path.partition("<")[0] + "1" * ("<" in path))
        assert answer.location.startswith("/login"), path
    assert len(pages) > 7


def test_pages_and_searches(client):
    assert client.get("/empty").text == "ok"
    for path in ("/cities", "/cities/uncounted"):
        assert [len(rows(client, f"{path}?page={page}")) for page in (1, 2, 3)] == [50, 50, 20]
        assert rows(client, f"{path}?q=a1")[:2] == ["a118", "a116"]
    assert "Page 1 of 3" in client.get("/cities").text


def test_a_city_is_added_with_and_without_history(client):
    for path, changes in (("/cities/new", 1), ("/cities/new/unrecorded", 1)):
        assert client.post(path, data=NEW).status_code == 400
        assert client.post(path, data={**NEW, **token(client, path)}).status_code == 303
        assert db.session.scalar(select(func.count()).select_from(Change)) == changes
    assert rows(client, "/cities")[:2] == ["深圳市", "深圳市"]


def test_pi_is_cached(client):
    answers = [client.get("/pi/1000").json for _time in range(2)]
    assert [answer["cached"] for answer in answers] == [False, True]
    assert answers[0]["result"] == answers[1]["result"] == pytest.approx(3.14, abs=0.01)


def test_a_file_is_uploaded_and_downloaded(client):
    file = (io.BytesIO(b"x" * 4096), "small.txt")
    sent = client.post("/upload", data={"file": file, **token(client, "/files")})
    assert sent.status_code == 303
    assert rows(client, "/files") == ["small.txt"]
    path = f"/files/{db.session.scalar(select(File.id))}"
    assert client.get(path, buffered=True).data == b"x" * 4096
