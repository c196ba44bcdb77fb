"""What the history records of cities and imports, on both databases."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from app.actor import ANONYMOUS, Actor, Role
from app.cities import queries, services
from app.cities.importing import services as importing
from app.cities.importing.models import CityImport
from app.cities.models import City
from app.database.engine import db
from app.errors import DomainError
from app.history.entries import describe
from app.history.models import ADMINISTRATORS, EVERYBODY, HistoryEntry
from app.history.subjects import all_subjects
from tests import factories
from tests.cities.conftest import (
    ACTOR,
    EMPTY,
    add_as_original,
    add_cities,
    add_city,
    given,
    stored,
    version_of,
)
from tests.cities.importing.staging import confirm, editor, stage
from tests.factories import add_person

pytestmark = pytest.mark.usefixtures("any_app")

SHENZHEN = {**EMPTY, "city": "深圳市", "province": "广东", "users": 5}


def entries():
    """The entries, without those of the jobs of imports."""
    return [entry for entry in factories.entries() if entry.subject_kind != "job"]


def values(text):
    """The fields of an entry."""
    return None if text is None else json.loads(text)


def what(entry):
    """The action and what it did."""
    return (
        entry.action, entry.subject_id, values(entry.before), values(entry.after), entry.version,
    )  # fmt: skip


def test_each_change_of_a_city_is_one_entry():
    city_id = services.create_city(ACTOR, given())
    services.update_city(ACTOR, city_id, version_of(city_id), given(users="7"))
    removed_id, _name = services.delete_city(ACTOR, city_id)
    services.restore_city(ACTOR, removed_id)
    found = entries()
    assert [what(entry) for entry in found] == [
        ("city.create", city_id, None, SHENZHEN, 1),
        ("city.update", city_id, {"users": 5}, {"users": 7}, 2),
        ("city.delete", city_id, {**SHENZHEN, "users": 7}, None, 2),
        ("city.restore", city_id, None, {**SHENZHEN, "users": 7}, 2),
    ]
    assert {(entry.actor_id, entry.subject_kind, entry.visible_to) for entry in found} == {
        (ACTOR.id, "city", EVERYBODY)
    }
    assert [entry.reverts_id for entry in found] == [None, None, None, found[2].id]


def test_a_restored_city_names_its_last_removal():
    city_id = services.create_city(ACTOR, given())
    for _twice in range(2):
        services.restore_city(ACTOR, services.delete_city(ACTOR, city_id)[0])
    removals = [entry.id for entry in entries() if entry.action == "city.delete"]
    restorations = [entry for entry in entries() if entry.action == "city.restore"]
    assert [entry.reverts_id for entry in restorations] == removals


def test_a_removal_without_an_entry_is_not_taken_for_an_earlier_one():
    """The previous release, which runs beside this one during an upgrade, records nothing."""
    city_id = services.create_city(ACTOR, given())
    services.restore_city(ACTOR, services.delete_city(ACTOR, city_id)[0])
    removed_id, _name = services.delete_city(ACTOR, city_id)
    db.session.execute(delete(HistoryEntry).where(HistoryEntry.id == entries()[-1].id))
    db.session.commit()
    services.restore_city(ACTOR, removed_id)
    assert entries()[-1].action == "city.restore"
    assert entries()[-1].reverts_id is None


def test_values_that_break_todays_rules_are_recorded_as_they_were():
    add_as_original((None, " ", -1))
    city_id = stored()[0][0]
    services.update_city(ACTOR, city_id, version_of(city_id), given())
    assert what(entries()[0])[2] == {"province": None, "city": " ", "users": -1}


def test_what_changes_nothing_or_is_refused_leaves_no_entry():
    city_id = add_city()
    services.update_city(ACTOR, city_id, None, given())
    refused = [
        lambda: services.create_city(ACTOR, given("")),
        lambda: services.create_city(ACTOR, given()),  # its names are there
        lambda: services.update_city(ACTOR, city_id, "outdated", given(users="6")),
        lambda: services.update_city(ACTOR, 99, None, given()),
        lambda: services.delete_city(ACTOR, 99),
        lambda: services.restore_city(ACTOR, 99),
    ]
    for call in refused:
        with pytest.raises(DomainError):
            call()
    assert entries() == []


def test_a_form_sent_twice_is_one_entry():
    for _twice in range(2):
        services.create_city(ACTOR, given(), key="k")
    assert len(entries()) == 1


def test_an_import_is_one_entry_and_one_for_each_city(person):
    add_cities(("广东", "广州市", 7), ("广东", "深圳市", 5), ("广东", "深圳", 5))
    lines = "广东,广州市,7\n广东,深圳市,6\n广东,佛山市,8\n湖南,长沙市,9\n,x,1\n"
    import_id = stage(person, lines)
    begun = len(entries())
    confirm(import_id, person)
    ids = {row[2]: row[0] for row in stored()}
    found = entries()[begun:]
    changsha = {"city": "长沙市", "province": "湖南", "users": 9}
    assert [what(entry) for entry in found] == [
        (
            "import.apply", import_id, None,
            {
                "file_name": "cities.csv", "new": 2, "changed": 1, "skipped": 0, "same": 1,
                "refused": 1,
            },
            None,
        ),
        ("city.create", ids["长沙市"], None, {**SHENZHEN, **changsha}, 1),
        ("city.create", ids["佛山市"], None, {**SHENZHEN, "city": "佛山市", "users": 8}, 1),
        ("city.update", ids["深圳市"], {"users": 5}, {"users": 6}, 2),
    ]  # fmt: skip
    assert {(entry.actor_id, entry.batch_id) for entry in found} == {(person, str(import_id))}
    confirm(import_id, person)
    assert [entry for entry in entries() if entry.action == "import.apply"] == found[:1]


def test_all_members_see_imports_once_they_are_applied(person):
    confirm(stage(person, "湖南,长沙市,9\n"), person)
    importing.cancel_import(editor(person), stage(person, "湖南,长沙市,8\n"))
    assert {(entry.action, entry.visible_to) for entry in entries()} == {
        ("import.begin", ADMINISTRATORS),
        ("import.apply", EVERYBODY),
        ("city.create", EVERYBODY),
        ("import.cancel", ADMINISTRATORS),
    }


def test_begin_and_cancellation_of_an_import_are_entries(person):
    import_id = stage(person, "a,b,6\na,c,6\n")
    importing.cancel_import(editor(person), import_id)
    found = entries()
    assert [what(entry) for entry in found] == [
        ("import.begin", import_id, None, {"file_name": "cities.csv"}, None),
        ("import.cancel", import_id, {"file_name": "cities.csv"}, None, None),
    ]
    assert {(entry.actor_id, entry.batch_id) for entry in found} == {(person, str(import_id))}


@pytest.mark.parametrize(
    ("language", "begun", "cancelled"),
    [("en", "Import started", "Import cancelled"), ("zh", "开始导入", "取消导入")],
)
def test_a_cancelled_import_is_called_by_its_file(any_app, person, language, begun, cancelled):
    importing.cancel_import(editor(person), stage(person, "a,b,6\n"))
    with any_app.test_request_context(headers={"Accept-Language": language}):
        rows = describe(Actor.operator(), entries())
    assert [(row.action, row.label, row.url) for row in rows] == [
        (begun, "cities.csv", ""), (cancelled, "cities.csv", ""),
    ]  # fmt: skip


def test_an_import_has_a_link_until_it_is_cancelled(any_app, person):
    import_id = stage(person, "a,b,1\n")
    address = f"/cities/import/{import_id}"
    for state, url in (("staging", address), ("staged", address), ("cancelled", "")):
        db.session.get_one(CityImport, import_id).state = state
        db.session.commit()
        with any_app.test_request_context():
            [row] = describe(Actor.operator(), entries())
        assert (row.label, row.url) == ("cities.csv", url)


def test_sample_cities_are_one_batch():
    assert services.add_sample_cities(Actor.operator()) == services.SAMPLE_COUNT
    found = entries()
    assert len(found) == services.SAMPLE_COUNT
    assert len({entry.batch_id for entry in found}) == 1
    assert {entry.subject_id for entry in found} == {row[0] for row in stored()}
    names = {row[0]: row[2] for row in stored()}
    assert all(values(entry.after)["city"] == names[entry.subject_id] for entry in found)
    services.add_sample_cities(Actor.operator())
    assert len({entry.batch_id for entry in entries()}) == 2


def test_subjects_have_labels_addresses_and_words(any_app, person):
    city_id, nameless = add_city(), add_city("a", " ")
    import_id = stage(person, "a,b,1\n")
    with any_app.test_request_context():
        city, one = all_subjects()["city"], all_subjects()["import"]
        assert city.labels([city_id, nameless, 99]) == {
            city_id: "深圳市", nameless: "City without a name",
        }  # fmt: skip
        assert one.labels([import_id, 99]) == {import_id: "cities.csv"}
        assert city.url(city_id) == f"/cities/{city_id}"
        assert one.url(import_id) == f"/cities/import/{import_id}"
        assert {str(label) for label in city.fields.values()} >= {"City", "Province", "Users"}
        assert [str(subject.name) for subject in (city, one)] == ["City", "Import"]
        viewer = replace(editor(person), role=Role.VIEWER)
        assert city.may_read(viewer, [city_id])
        assert not city.may_read(ANONYMOUS, [city_id])
        stranger = editor(add_person("stranger", "editor"))
        allowed = [editor(person), Actor.operator()]
        assert all(one.may_read(actor, [import_id]) for actor in allowed)
        assert not any(one.may_read(actor, [import_id]) for actor in (stranger, viewer))


def last_change(city_id, actor=ACTOR):
    """Who changed a city last, as the actor sees it."""
    return queries.find_last_change(actor, services.load_city(ACTOR, city_id))


def test_the_last_change_is_known_unless_another_program_wrote_since(person):
    city_id = services.create_city(editor(person), given())
    assert last_change(city_id).name == "editor"
    db.session.execute(update(City).values(usernumber=8))
    db.session.commit()
    assert last_change(city_id) is None
    assert last_change(add_city("a", "b")) is None


def test_a_last_change_that_the_reader_may_not_see_is_not_shown(person):
    city_id = services.create_city(editor(person), given())
    db.session.execute(update(HistoryEntry).values(visible_to=ADMINISTRATORS))
    db.session.commit()
    assert last_change(city_id) is None
    assert last_change(city_id, Actor.operator()).name == "editor"
