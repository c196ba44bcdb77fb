"""A running site for browser tests and screenshots: two gunicorn workers with a private Redis and
SQLite, sample cities, a person of each role, files and staged imports."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import insert

from app import create_app
from app.auth import services as auth
from app.cities import services as cities
from app.cities.models import City
from app.cities.rules import keys
from app.cities.search_keys import fill_keys
from app.config import Settings
from app.database.engine import db
from app.schedules import shipped
from app.schedules.running import housekeeping
from app.setup.services import create_link_path
from tests import servers
from tests.applications import PASSWORD_METHOD, environment, migrate
from tests.factories import OPERATOR, PASSWORD, do_imports
from tests.files.preview.helpers import ACTION, encoded, landscape, pdf, tone
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
IMPORT = """provincename,cityname,usernumber,remark
广东,深圳市,17600000,changed
上海,上海市,24874500,the same
广东,新城市,1200,new
,无名,12,no province
广东,坏数,12.5,no whole number
"""
LONG_IMPORT = "province,city,number\n" + "".join(f"海南,第{n}城,{n}00\n" for n in range(1, 181))
FILES = {
    "报告 (终稿).pdf": pdf(),
    "field notes.txt": "Harbour, 14 June: 河水很清。\n".encode(),
    "mark.gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
    "harbour.jpg": encoded(landscape(1600, 1000), "JPEG"),
    "towns.csv": b"provincename,cityname,usernumber\n"
    + "".join(f"海南,第{n}城,{n}00\n" for n in range(1, 80)).encode(),
    "torn.png": encoded(landscape(300, 200), "PNG")[:500],
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>\n",
    "form.pdf": pdf(ACTION),
    "tone.wav": tone(),
}

FOLDER_FILES = {
    "survey/2026/tides.csv": b"day,metres\n2026-06-14,3.1\n",
    "survey/2026/water/samples.txt": b"Station 4: clear\n",
    "survey/The plan of the harbour and of the roads around it, second edition.txt": b"North\n",
    "survey/观测记录.txt": "河水很清。\n".encode(),
    "old/list.txt": b"1998\n",
}


@contextmanager
def running_site(more: Sequence[tuple[str, str]] = ()) -> Iterator[Site]:
    """A running site with sample data and everybody signed in; or one with `more` cities, by
    province and name, for lists alone: it has no files, and only the viewer is signed in."""
    with servers.short_folder("site") as folder, servers.redis_server(folder) as redis_url:
        env = {**environment(folder, redis_url), "WEB_WORKERS": "1" if more else "2"}
        (folder / "instance").mkdir()
        first_password, setup_path = prepare(env, more)
        with servers.gunicorn_server(env, folder / "web.log") as base, doing_imports(env):
            site = Site(base, found={"setup": setup_path})
            if more:
                site.sign_in("viewer")
            else:
                fill(site)
                site.sign_in("newcomer", first_password)
            yield site


@contextmanager
def doing_imports(env: dict[str, str]) -> Iterator[None]:
    """Have the jobs of imports done while the block runs. Other jobs wait: there is no worker."""
    app, ended = create_app(Settings.load(env)), threading.Event()

    def repeat() -> None:
        with app.app_context():
            while not ended.is_set():
                do_imports()
            db.session.remove()
            db.engine.dispose()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        app.extensions["redis"].close()


def prepare(env: dict[str, str], more: Sequence[tuple[str, str]] = ()) -> tuple[str, str]:
    """Create tables, people and cities; returns the first password of `newcomer`, and a set-up link
    that comes too late."""
    app = create_app(Settings.load(env))
    app.config["PASSWORD_METHOD"] = PASSWORD_METHOD
    migrate(app)
    with app.app_context():
        for role in reversed(ROLES):
            auth.create_person(OPERATOR, role, PASSWORD, role)
        _id, first_password = auth.invite_person(OPERATOR, "newcomer", "viewer")
        gone = auth.create_person(OPERATOR, "gone", PASSWORD, "editor")
        auth.set_active(OPERATOR, gone, False)
        auth.create_person(OPERATOR, "forgetful", PASSWORD, "viewer")
        cities.add_sample_cities(OPERATOR)
        with db.engine.begin() as connection:
            connection.execute(insert(City), {"cityname": "无省市", "usernumber": -1})
            for province, name in more:
                values = {"provincename": province, "cityname": name, "usernumber": 1}
                connection.execute(insert(City), values | keys(province, name))
        fill_keys()
        shipped.store_new()
        housekeeping.work()
        setup_path = create_link_path()
        db.engine.dispose()
    return first_password, setup_path


def fill(site: Site) -> None:
    """Sign in all roles, upload files, remove a file and two cities, stage two imports, start a
    job."""
    for role in ROLES:
        site.sign_in(role)
    files = [("file", (name, content)) for name, content in FILES.items()]
    files += [("folder", (name, content)) for name, content in FOLDER_FILES.items()]
    site.send("editor", "/upload", page="/files", files=files)
    site.send("editor", "/upload", page="/files", files=[("file", ("draft.txt", b"Old"))])
    site.send("editor", f"/files/{len(files) + 1}/remove", page="/files")
    notes = ("file", ("field notes.txt", "Harbour, 15 June: 河水很清。\n".encode()))
    site.send("editor", "/upload", page="/files", files=[notes])
    for city_id in (420, 421):
        site.send(
            "editor",
            "/cities/new",
            {"city": f"旧城市 {city_id}", "province": "海南", "number": "5"},
        )
        site.send("editor", f"/cities/{city_id}/delete")
    site.found["job"] = site.send("admin", "/jobs/new/sum", {"a": 3, "b": 4}).url
    site.found["job"] = site.found["job"].removeprefix(site.base)
    nightly = {
        "name": "every night",
        "a": 3,
        "b": 4,
        "trigger": "cron",
        "expression": "0 2 * * 1-5",
        "time_zone": "Shanghai",
        "coalesce": "y",
        "at_once": 3,
        "grace_seconds": 60,
    }
    site.found["schedule"] = site.send("admin", "/schedules/new/sum", nightly).url
    site.found["schedule"] = site.found["schedule"].removeprefix(site.base)
    site.send("admin", f"{site.found['schedule']}/run", page=site.found["schedule"])
    for name, text in (("preview", IMPORT), ("long_preview", LONG_IMPORT)):
        address = site.import_file(f"{name}.csv", text.encode())
        site.found[name] = address.removeprefix(site.base)
