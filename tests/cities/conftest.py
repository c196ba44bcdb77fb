"""Cities for tests."""

import pytest
from sqlalchemy import column, func, insert, select, table

from app.actor import Actor, Role
from app.cities import services
from app.cities.details.merging import form_version
from app.cities.fields import FIELDS
from app.cities.models import City
from app.cities.rules import keys
from app.cities.search_keys import fill_keys
from app.database.engine import db
from app.database.service import run_transaction
from tests.factories import add_person
from tests.html import Page

ACTOR = Actor(1, "editor", Role.EDITOR)
# The values of a city that has none, also of fields that are added later.
EMPTY = dict.fromkeys(field.name for field in FIELDS)
# A city as the form sends it.
NEW = {"province": "广东", "city": "深圳市", "number": "17494398"}


def given(province="广东", city="深圳市", users="5", **more):
    """The values of a city, as a form gives them to a service."""
    return {"province": province, "city": city, "users": users, **more}


def add_city(province="广东", city="深圳市", users=5, **more):
    """A row as our own services write it; returns its id."""
    values = {"provincename": province, "cityname": city, "usernumber": users}
    row = City(**values, **keys(province, city), **more)
    db.session.add(row)
    db.session.commit()
    return row.id


def add_cities(*rows):
    """Rows of (province, city, users), also with names and numbers that break our rules."""
    values = [{"provincename": p, "cityname": c, "usernumber": u, **keys(p, c)} for p, c, u in rows]
    run_transaction(lambda: db.session.execute(insert(City), values))


def multiply_cities(times):
    """Have every row so many times, which is quicker than to add as many."""
    columns = [each for each in City.__table__.c if not (each.primary_key or each.computed)]
    with db.engine.begin() as connection:
        last = connection.scalar(select(func.max(City.id)))
        copy = insert(City).from_select(columns, select(*columns).where(City.id <= last))
        for _copy in range(times - 1):
            connection.execute(copy)


def add_as_original(*rows):
    """Rows as the original program inserts them: four columns, and nothing of ours."""
    original = table("city", *map(column, ("provincename", "cityname", "usernumber")))
    with db.engine.begin() as connection:
        for row in rows:
            connection.execute(original.insert().values(row))


def add_as_original_before(*rows):
    """The same some seconds ago: the clock has filled in their keys since."""
    add_as_original(*rows)
    fill_keys()


def stored():
    """All rows as (id, province, city, users), by id."""
    with db.engine.connect() as connection:
        query = select(City.id, City.provincename, City.cityname, City.usernumber)
        return [tuple(row) for row in connection.execute(query.order_by(City.id))]


def version_of(city_id):
    """What a form of this city carries."""
    version = form_version(services.load_city(ACTOR, city_id))
    db.session.rollback()
    return version


def value(page, name):
    """The value of a control of the form of a city, also of a hidden one."""
    return Page(page).one(f'form.form input[name="{name}"]')["value"]


@pytest.fixture
def request_context(app):
    """For numbers and translations in messages."""
    with app.test_request_context():
        yield


@pytest.fixture
def cities(app):
    """A function that fills the register of `app`, as add_cities() does."""

    def fill(*rows):
        with app.app_context():
            add_cities(*rows)

    return fill


@pytest.fixture
def rows(app):
    """stored() in the context of `app`."""

    def read():
        with app.app_context():
            return stored()

    return read


@pytest.fixture
def person(any_app):
    """The id of an editor, who imports files."""
    return add_person("editor", "editor")
