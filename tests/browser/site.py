"""A whole Gazetteer for browser tests and pictures: two gunicorn workers over a private Redis and
SQLite, with the sample cities, people of each role, files and a previewed import."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from app import create_app
from app.auth import services as auth
from app.cities import services as cities
from app.config import ROOT, Settings
from app.extensions import db
from tests import servers
from tests.factories import HTML, PASSWORD

ROLES = ("viewer", "editor", "admin")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IMPORT = """provincename,cityname,usernumber,note
广东,深圳市,17600000,changed
上海,上海市,24874500,the same
广东,新城市,1200,new
,无名,12,no province
广东,坏数,12.5,no whole number
"""
FILES = {
    "报告 (终稿).pdf": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
    "field notes.txt": "Harbour, 14 June: 河水很清。\n".encode(),
    "mark.gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
}


@dataclass
class Site:
    """Where it runs, and how to be somebody there."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    import_path: str = ""

    def sign_in(self, role: str) -> requests.Session:
        """A client signed in as the person of that role."""
        client = requests.Session()
        client.headers.update(HTML)
        fields = {"name": role, "password": PASSWORD, "csrf_token": self.token(client, "/login")}
        client.post(f"{self.base}/login", data=fields, timeout=10).raise_for_status()
        self.cookies[role] = client.cookies["gz"]
        return client

    def token(self, client: requests.Session, path: str) -> str:
        """The CSRF token of a page."""
        text = client.get(self.base + path, timeout=10).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
        assert found, f"no form on {path}"
        return found[1]


# Every page that a person can meet: name of the picture, who looks, address.
PAGES = [
    ("login", None, "/login"),
    ("cities", "editor", "/cities"),
    ("cities-viewer", "viewer", "/cities?q=%E5%B7%9E&sort=users&order=desc"),
    ("cities-none", "editor", "/cities?q=nowhere"),
    ("city-new", "editor", "/cities/new"),
    ("city-edit", "editor", "/cities/400"),
    ("city-facts", "viewer", "/cities/400"),
    ("city-delete", "editor", "/cities/400/delete"),
    ("import", "editor", "/cities/import"),
    ("import-preview", "editor", "{import_path}"),
    ("glance", "viewer", "/cities/glance"),
    ("files", "editor", "/files"),
    ("files-viewer", "viewer", "/files?q=pdf"),
    ("file", "editor", "/files/1/details"),
    ("files-removed", "editor", "/files?removed=1"),
    ("upload-success", "editor", "/upload_success"),
    ("scripts", "editor", "/files/scripts"),
    ("numbers", None, "/numbers"),
    ("numbers-pi", "editor", "/numbers?pi=1000000&fib=300"),
    ("session", "editor", "/session"),
    ("account", "editor", "/account"),
    ("password", "editor", "/account/password"),
    ("people", "admin", "/people"),
    ("person-new", "admin", "/people/new"),
    ("person", "admin", "/people/2"),
    ("person-self", "admin", "/people/1"),
    ("missing", "viewer", "/nothing-here"),
    ("forbidden", "viewer", "/people"),
]


@contextmanager
def running_site() -> Iterator[Site]:
    """Start it, fill it, end it."""
    with servers.short_folder("site") as folder, servers.redis_server(folder) as redis_url:
        port = servers.free_port()
        env = {
            **os.environ,
            "INSTANCE": str(folder / "instance"),
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite",
            "SECRET_KEY": "s" * 64,
            "REDIS_TIMEOUT_MS": "3000",
            "PORT": str(port),
        }
        (folder / "instance").mkdir()
        prepare(env)
        with (folder / "web.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "app.wsgi:app"],
                cwd=ROOT, env=env, stderr=log,
            )  # fmt: skip
        site = Site(f"http://127.0.0.1:{port}")
        try:
            servers.wait_until(lambda: answers(site.base), "gunicorn answers")
            fill(site)
            yield site
        finally:
            servers.stop(process)


def answers(base: str, path: str = "/healthz") -> bool:
    """Whether the site is up."""
    try:
        return requests.get(base + path, timeout=5).ok
    except requests.ConnectionError:
        return False


def prepare(env: dict[str, str]) -> None:
    """Tables, people, cities."""
    from tests.conftest import migrate

    app = create_app(Settings.load(env))
    migrate(app)
    with app.app_context():
        for role in reversed(ROLES):
            auth.create_person(role, PASSWORD, role)
        cities.add_sample_cities()
        db.engine.dispose()


def fill(site: Site) -> None:
    """Sign everybody in, upload some files, preview an import."""
    clients = {role: site.sign_in(role) for role in ROLES}
    editor = clients["editor"]
    upload = [("file", (name, io.BytesIO(data))) for name, data in FILES.items()]
    token = site.token(editor, "/files")
    editor.post(
        f"{site.base}/upload", files=upload, data={"csrf_token": token}, timeout=30
    ).raise_for_status()
    answer = editor.post(
        f"{site.base}/cities/import",
        files={"file": ("towns.csv", IMPORT.encode())},
        data={"csrf_token": site.token(editor, "/cities/import")},
        timeout=30,
    )
    answer.raise_for_status()
    site.import_path = answer.url.removeprefix(site.base)
