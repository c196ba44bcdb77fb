"""A week of three people, written by the services as if each moment were the present one
(app/times.py::at): Ada administers, Lin edits, Wei reads.

Moments only grow, as in a real installation: ids follow the times.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from itertools import cycle, islice
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app import times
from app.actor import Actor, Role
from app.auth import services as auth
from app.cities import services as cities
from app.cities.details.merging import form_version
from app.cities.fields import FIELDS, Value
from app.cities.models import City
from app.cli.demo import uploads
from app.current import settings
from app.database.engine import db
from app.files import services as files
from app.files.models import File
from app.files.storage.folder import Incoming
from app.files.upload.services import ReceivedFile, store_uploads
from app.numbers.services import get_fib, get_pi, person_limits

PEOPLE = {"Ada": Role.ADMIN, "Lin": Role.EDITOR, "Wei": Role.VIEWER}
DAYS = 6  # from the first day to today
ASKED = (2, 0, 1, 0, 3, 5, 9, 12, 7, 4, 11, 14, 8, 6, 3, 5)  # for π, in each of the last hours


class Week:
    """The days of the demo, and the people in it."""

    def __init__(self) -> None:
        self.zone = ZoneInfo(settings().time_zone)
        self.now = times.now()
        self.passwords = {name: secrets.token_urlsafe(12) for name in PEOPLE}
        self.people: dict[str, Actor] = {}

    @contextmanager
    def on(self, day: int, clock: str) -> Iterator[None]:
        """A moment of a day: 0 is the first one, and the last one is yesterday."""
        date = self.now.astimezone(self.zone).date() - timedelta(days=DAYS - day)
        moment = datetime.combine(date, time.fromisoformat(clock), self.zone)
        with times.at(moment):
            yield

    def before(self, minutes: float) -> AbstractContextManager[None]:
        """A moment of today."""
        return times.at(self.now - timedelta(minutes=minutes))

    def add_people(self, by: Actor, *names: str) -> None:
        for name in names:
            number = auth.create_person(by, name, self.passwords[name], PEOPLE[name])
            self.people[name] = Actor(number, name, PEOPLE[name])

    def upload(self, name: str, sent: Iterable[uploads.File]) -> None:
        """Upload some files at once."""
        received = []
        for path, content in sent:
            incoming = Incoming(settings().files_dir, len(content))
            incoming.write(content)
            received.append(ReceivedFile(path, incoming, with_folder=True))
        store_uploads(self.people[name], received)

    def change(self, name: str, of: str, **fields: Value) -> None:
        """Change some fields of the city of a name."""
        row = cities.load_city(self.people[name], city_id(of))
        values = {field.name: getattr(row, field.column) for field in FIELDS}
        version = form_version(row)
        cities.update_city(self.people[name], row.id, version, {**values, **fields})

    def add(self, name: str, province: str, city: str, number: int) -> None:
        fields: dict[str, Value] = {"province": province, "city": city, "users": number}
        cities.create_city(self.people[name], fields)

    def remove(self, name: str, city: str) -> int:
        """Remove a city; returns the id under which it can be restored."""
        return cities.delete_city(self.people[name], city_id(city))[0]

    def remove_file(self, name: str, path: str) -> None:
        folder, _slash, last = path.rpartition("/")
        query = select(File.id).where(File.folder == folder, File.name == last)
        file_id = db.session.scalars(query.order_by(File.id.desc())).first()
        files.remove_file(self.people[name], file_id or 0)


def city_id(name: str) -> int:
    found = db.session.scalars(select(City.id).where(City.cityname == name)).first()
    db.session.rollback()
    return found or 0


def write_week() -> dict[str, str]:
    """Write everything; returns the passwords by name."""
    week = Week()
    for part in (first_days, middle_of_the_week, yesterday, today, compute):
        part(week)
    return week.passwords


def first_days(week: Week) -> None:
    """The register is filled, the survey begins."""
    sample = cities.read_sample()
    with week.on(0, "08:55"):
        week.add_people(Actor.operator(), "Ada")
    with week.on(0, "09:02"):
        cities.add_sample_cities(week.people["Ada"])
    with week.on(0, "09:10"):
        week.add_people(week.people["Ada"], "Lin", "Wei")
    with week.on(0, "09:31"):
        week.upload("Ada", uploads.desk())
    with week.on(0, "16:20"):
        week.upload("Ada", uploads.tables(sample))
    with week.on(1, "10:05"):
        week.upload("Lin", uploads.survey())
    with week.on(1, "10:12"):
        week.upload("Lin", uploads.harbour(1, 8))
    for clock, city, number in (
        ("14:03", "南京市", 9_314_702),
        ("14:05", "苏州市", 6_715_600),
        ("14:09", "无锡市", 4_397_020),
    ):
        with week.on(1, clock):
            week.change("Lin", city, users=number)
    with week.on(1, "16:40"):
        week.upload("Ada", uploads.charts(sample))


def middle_of_the_week(week: Week) -> None:
    """Cities come and go, the report gets its drafts."""
    sample = cities.read_sample()
    with week.on(2, "09:15"):
        week.add("Lin", "海南", "三沙市", 2_300)
    with week.on(2, "09:20"):
        week.add("Lin", "海南", "洋浦", 53_800)
    with week.on(2, "11:45"):
        week.upload("Lin", uploads.reports(sample))
    with week.on(2, "15:02"):
        week.upload("Ada", uploads.minutes())
    with week.on(3, "09:48"):
        week.upload("Lin", [uploads.report(2)])
    with week.on(3, "10:30"):
        week.add("Lin", "广东", "新深圳", 12)
    with week.on(3, "10:34"):
        week.remove("Lin", "新深圳")
    with week.on(3, "17:21"):
        week.upload("Lin", uploads.mistakes())
    with week.on(4, "09:05"):
        week.remove_file("Lin", "tables/旧数据.csv")
    with week.on(4, "09:06"):
        week.remove_file("Lin", "draft.txt")
    with week.on(4, "13:50"):
        removed = week.remove("Lin", "洋浦")
    with week.on(4, "14:15"):
        cities.restore_city(week.people["Ada"], removed)
    with week.on(4, "16:00"):
        week.change("Ada", "洋浦", city="洋浦经济开发区")


def yesterday(week: Week) -> None:
    with week.on(5, "09:30"):
        week.upload("Lin", uploads.harbour(9, 12))
    with week.on(5, "09:41"):
        week.remove_file("Lin", "survey/harbour/blurred.jpg")
    with week.on(5, "11:10"):
        week.upload("Ada", [("tables/广东.csv", uploads.corrected())])
    with week.on(5, "15:12"):
        week.remove("Lin", "嘉峪关市")
    with week.on(5, "17:05"):
        week.change("Lin", "杭州市", users=9_236_410)


def today(week: Week) -> None:
    """The last hours, whatever the time is now."""
    with week.before(94):
        week.change("Ada", "成都市", users=13_568_900)
    with week.before(61):
        week.upload("Lin", [uploads.report(3)])
    with week.before(38):
        week.upload("Ada", [("harbour.jpg", uploads.new_view())])
    with week.before(21):
        week.add("Lin", "广东", "横琴", 51_420)
    with week.before(4):
        week.change("Lin", "深圳市", users=17_494_399)


def compute(week: Week) -> None:
    """Figures that are in the cache from the start, asked for over the last hours."""
    limits = partial(person_limits, week.people["Lin"].person_id)
    for hours, asked in zip(reversed(range(len(ASKED))), ASKED, strict=True):
        with week.before(60 * hours + 2):
            get_fib(str(100 + hours), limits)
            for n in islice(cycle(("1000000", "100000", "1000000", "355")), asked):
                get_pi(n, limits)
