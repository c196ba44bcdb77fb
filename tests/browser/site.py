"""A whole Gazetteer for browser tests and pictures: two gunicorn workers over a private Redis and
SQLite, with the sample cities, people of each role, files and a previewed import."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from sqlalchemy import insert

from app import create_app
from app.actor import Actor
from app.auth import services as auth
from app.cities import services as cities
from app.cities.models import City
from app.config import ROOT, Settings
from app.database.engine import db
from tests import servers
from tests.factories import PASSWORD
from tests.site import Site

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
LONG_IMPORT = "province,city,number\n" + "".join(f"海南,第{n}城,{n}00\n" for n in range(1, 181))
FILES = {
    "报告 (终稿).pdf": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
    "field notes.txt": "Harbour, 14 June: 河水很清。\n".encode(),
    "mark.gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
}


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
        first_password = prepare(env)
        with (folder / "web.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "app.wsgi:app"],
                cwd=ROOT, env=env, stderr=log,
            )  # fmt: skip
        site = Site(f"http://127.0.0.1:{port}")
        try:
            servers.wait_until(lambda: answers(site.base), "gunicorn answers")
            fill(site)
            site.sign_in("newcomer", first_password)
            yield site
        finally:
            servers.stop(process)


def answers(base: str, path: str = "/healthz") -> bool:
    """Whether the site is up."""
    try:
        return requests.get(base + path, timeout=5).ok
    except requests.ConnectionError:
        return False


def prepare(env: dict[str, str]) -> str:
    """Tables, people, cities; returns the first password of somebody new."""
    from tests.conftest import migrate

    app = create_app(Settings.load(env))
    migrate(app)
    with app.app_context():
        for role in reversed(ROLES):
            auth.create_person(role, PASSWORD, role)
        _id, first_password = auth.invite_person("newcomer", "viewer")
        gone = auth.create_person("gone", PASSWORD, "editor")
        auth.set_active(1, gone, False)
        auth.create_person("forgetful", PASSWORD, "viewer")
        cities.add_sample_cities(Actor.operator())
        with db.engine.begin() as connection:
            connection.execute(insert(City), {"cityname": "无省市", "usernumber": -1})
        db.engine.dispose()
    return first_password


def fill(site: Site) -> None:
    """Sign everybody in, upload some files, preview two imports."""
    for role in ROLES:
        site.sign_in(role)
    files = [("file", (name, content)) for name, content in FILES.items()]
    site.send("editor", "/upload", page="/files", files=files)
    for name, text in (("preview", IMPORT), ("long_preview", LONG_IMPORT)):
        chosen = {"file": (f"{name}.csv", text.encode())}
        address = site.send("editor", "/cities/import", files=chosen).url
        site.found[name] = address.removeprefix(site.base)
