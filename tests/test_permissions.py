"""Services and reads check the role by themselves, whatever a view does."""

import importlib
import inspect
import pkgutil
from contextlib import suppress

import pytest
from flask import g

import app as application
from app.actor import ANONYMOUS, Actor, Role, Via
from app.auth import queries
from app.cities import services as cities
from app.errors import Forbidden, Unauthorized
from app.history.subjects import all_subjects
from app.web.permissions import role_required
from tests.cities.conftest import add_city
from tests.factories import OPERATOR, actor_of, add_person, add_token
from tests.files.helpers import store

# Whoever adds a service or a read that not everybody may do adds a line. None: for visitors too.
REQUIRED = {
    "app.auth.queries.count_people": Role.ADMIN,
    "app.auth.queries.get_person": Role.VIEWER,
    "app.auth.queries.list_people": Role.ADMIN,
    "app.auth.queries.search_people": Role.ADMIN,
    "app.auth.queries.select_people": Role.ADMIN,
    "app.auth.preferences.services.update_preferences": Role.VIEWER,
    "app.auth.services.add_person": Role.ADMIN,
    "app.auth.services.create_person": Role.ADMIN,
    "app.auth.services.give_first_password": Role.ADMIN,
    "app.auth.services.invite_person": Role.ADMIN,
    "app.auth.services.replace_password": Role.ADMIN,
    "app.auth.services.set_active": Role.ADMIN,
    "app.auth.services.set_password": Role.ADMIN,
    "app.auth.services.set_role": Role.ADMIN,
    "app.auth.sessions.services.end_sessions": Role.VIEWER,
    "app.auth.sessions.services.list_sessions": Role.VIEWER,
    "app.auth.sign_in.services.change_password": Role.VIEWER,
    "app.auth.sign_in.services.check_change": Role.VIEWER,
    "app.auth.sign_in.services.count_failed": Role.VIEWER,
    "app.auth.sign_in.services.replace_own_password": Role.VIEWER,
    "app.auth.sign_in.services.sign_in": None,
    "app.auth.sign_in.services.unlock": Role.ADMIN,
    "app.auth.tokens.services.count_own": Role.VIEWER,
    "app.auth.tokens.services.create_token": Role.VIEWER,
    "app.auth.tokens.services.list_tokens": Role.VIEWER,
    "app.auth.tokens.services.revoke_token": Role.VIEWER,
    "app.auth.tokens.services.store_token": Role.VIEWER,
    "app.backups.rehearsing.rehearse_backup": Role.ADMIN,
    "app.backups.restoring.restore_backup": Role.ADMIN,
    "app.backups.services.create_backup": Role.ADMIN,
    "app.backups.services.list_backups": Role.ADMIN,
    "app.backups.services.verify_backup": Role.ADMIN,
    "app.cities.importing.applying.apply.apply_part": Role.EDITOR,
    "app.cities.importing.applying.apply.finish_applying": Role.EDITOR,
    "app.cities.importing.applying.progress.take_import": Role.EDITOR,
    "app.cities.importing.applying.queries.select_imports": Role.EDITOR,
    "app.cities.importing.applying.services.begin_applying": Role.EDITOR,
    "app.cities.importing.applying.services.begin_undoing": Role.EDITOR,
    "app.cities.importing.applying.services.confirm_import": Role.EDITOR,
    "app.cities.importing.applying.services.stop_import": Role.EDITOR,
    "app.cities.importing.applying.services.undo_entry": Role.EDITOR,
    "app.cities.importing.applying.services.undo_import": Role.EDITOR,
    "app.cities.importing.applying.undo.finish_undoing": Role.EDITOR,
    "app.cities.importing.applying.undo.undo_part": Role.EDITOR,
    "app.cities.importing.queries.list_waiting": Role.EDITOR,
    "app.cities.importing.queries.load_import": Role.EDITOR,
    "app.cities.importing.pages.show_reading": Role.EDITOR,
    "app.cities.importing.services.begin_import": Role.EDITOR,
    "app.cities.importing.services.read_again": Role.EDITOR,
    "app.cities.importing.services.begin_again": Role.EDITOR,
    "app.cities.importing.services.cancel_import": Role.EDITOR,
    "app.cities.importing.services.insert_import": Role.EDITOR,
    "app.cities.importing.services.mark_cancelled": Role.EDITOR,
    "app.cities.importing.services.send_file": Role.EDITOR,
    "app.cities.importing.services.wait_for_staging": Role.EDITOR,
    "app.cities.importing.staging.ask": Role.EDITOR,
    "app.cities.importing.staging.begin_staging": Role.EDITOR,
    "app.cities.importing.staging.delete_others": Role.EDITOR,
    "app.cities.importing.staging.finish_staging": Role.EDITOR,
    "app.cities.importing.staging.give_up": Role.EDITOR,
    "app.cities.importing.staging.store_lines": Role.EDITOR,
    "app.cities.importing.staging.take": Role.EDITOR,
    "app.cities.removed.queries.count_removed": Role.ADMIN,
    "app.cities.removed.queries.select_removed": Role.EDITOR,
    "app.cities.removed.services.empty_removed": Role.ADMIN,
    "app.cities.services.add_sample_cities": Role.EDITOR,
    "app.cities.services.create_city": Role.EDITOR,
    "app.cities.services.delete_city": Role.EDITOR,
    "app.cities.services.restore_city": Role.EDITOR,
    "app.cities.services.store_sample_cities": Role.EDITOR,
    "app.cities.services.update_city": Role.EDITOR,
    "app.cities.undo.undo_change": Role.EDITOR,
    "app.files.adoption.adopt_files": Role.ADMIN,
    "app.files.folders.queries.count_below": Role.VIEWER,
    "app.files.folders.queries.count_selected": Role.VIEWER,
    "app.files.folders.queries.find_folder": Role.VIEWER,
    "app.files.folders.queries.load_folder": Role.VIEWER,
    "app.files.folders.queries.read_totals": Role.VIEWER,
    "app.files.folders.queries.suggest_folders": Role.VIEWER,
    "app.files.folders.selection.load_selected": Role.VIEWER,
    "app.files.folders.services.create_folder": Role.EDITOR,
    "app.files.folders.services.move_selected": Role.VIEWER,
    "app.files.folders.services.remove_selected": Role.VIEWER,
    "app.files.folders.services.restore_batch": Role.VIEWER,
    "app.files.folders.services.restore_of_owners": Role.VIEWER,
    "app.files.folders.services.restore_together": Role.VIEWER,
    "app.files.folders.services.store_move": Role.VIEWER,
    "app.files.undo.folders.find_folder_removal": Role.VIEWER,
    "app.files.undo.folders.find_undoable_folders": Role.VIEWER,
    "app.files.undo.folders.undo_folder_change": Role.VIEWER,
    "app.files.undo.folders.undo_of_owners": Role.VIEWER,
    "app.files.zipping.queries.list_contents": Role.VIEWER,
    "app.files.listing.select_files": Role.VIEWER,
    "app.files.queries.find_file": Role.VIEWER,
    "app.files.queries.list_newest": Role.VIEWER,
    "app.files.queries.list_versions": Role.VIEWER,
    "app.files.queries.load_file": Role.VIEWER,
    "app.files.queries.may_change_some": Role.VIEWER,
    "app.files.storage.results.insert_result": Role.VIEWER,
    "app.files.preview.services.find_picture": Role.VIEWER,
    "app.files.preview.services.find_preview": Role.VIEWER,
    "app.files.preview.services.show": Role.VIEWER,
    "app.files.upload.earlier.insert_copy": Role.VIEWER,
    "app.files.upload.earlier.make_current": Role.VIEWER,
    "app.files.removed.folders.select_removed_folders": Role.VIEWER,
    "app.files.removed.queries.count_in_folder": Role.VIEWER,
    "app.files.removed.queries.count_removed": Role.ADMIN,
    "app.files.removed.queries.find_remaining": Role.VIEWER,
    "app.files.removed.queries.find_removed": Role.VIEWER,
    "app.files.removed.queries.list_removed_with": Role.VIEWER,
    "app.files.removed.queries.select_removed": Role.VIEWER,
    "app.files.removed.services.empty_removed": Role.ADMIN,
    "app.files.upload.services.end_upload": Role.EDITOR,
    "app.files.upload.services.insert_versions": Role.EDITOR,
    "app.files.services.purge_files": Role.ADMIN,
    "app.files.services.record_purge": Role.ADMIN,
    "app.files.services.remove_file": Role.VIEWER,
    "app.files.services.restore_file": Role.VIEWER,
    "app.files.services.restore_of_owner": Role.VIEWER,
    "app.files.undo.bulk.undo_bulk_change": Role.VIEWER,
    "app.files.undo.bulk_moving.move_locked": Role.VIEWER,
    "app.files.undo.bulk_removing.remove_added": Role.VIEWER,
    "app.files.undo.queries.find_undoable": Role.VIEWER,
    "app.files.undo.queries.find_undoable_bulk": Role.VIEWER,
    "app.files.undo.services.undo_change": Role.VIEWER,
    "app.files.undo.services.undo_of_owner": Role.VIEWER,
    "app.files.upload.progress.list_running": Role.VIEWER,
    "app.files.upload.services.store_uploads": Role.EDITOR,
    "app.history.bulk.load_heads": Role.VIEWER,
    "app.history.queries.entries_about": Role.VIEWER,
    "app.history.queries.latest_entries": Role.VIEWER,
    "app.history.queries.list_authors": Role.ADMIN,
    "app.history.queries.load_entry": Role.VIEWER,
    "app.history.queries.select_entries": Role.ADMIN,
    "app.history.recent.recent_changes": Role.VIEWER,
    "app.history.services.prune": Role.ADMIN,
    "app.history.services.prune_batch": Role.ADMIN,
    "app.history.undo.undo_entries": Role.VIEWER,
    "app.history.undo.undo_entry": Role.VIEWER,
    "app.jobs.deliveries.queries.list_deliveries": Role.VIEWER,
    "app.jobs.deliveries.queries.load_delivery": Role.VIEWER,
    "app.jobs.deliveries.services.send_again": Role.VIEWER,
    "app.jobs.deliveries.services.start_job": Role.VIEWER,
    "app.jobs.deliveries.services.store_delivery": Role.VIEWER,
    "app.jobs.queries.load_job": Role.VIEWER,
    "app.jobs.queries.load_own": Role.VIEWER,
    "app.jobs.queries.read_lines": Role.VIEWER,
    "app.jobs.queries.select_jobs": Role.VIEWER,
    "app.jobs.services.cancel_job": Role.VIEWER,
    "app.jobs.services.restart_shared": Role.VIEWER,
    "app.jobs.services.retry_job": Role.VIEWER,
    "app.jobs.services.start_job": Role.VIEWER,
    "app.jobs.services.store_job": Role.VIEWER,
    "app.jobs.services.store_shared": Role.VIEWER,
    "app.jobs.shared.results.wait_for_result": Role.VIEWER,
    "app.schedules.queries.find_schedule": Role.ADMIN,
    "app.schedules.queries.last_runs": Role.ADMIN,
    "app.schedules.queries.list_runs": Role.ADMIN,
    "app.schedules.queries.list_schedules": Role.ADMIN,
    "app.schedules.queries.load_schedule": Role.ADMIN,
    "app.schedules.services.create_schedule": Role.ADMIN,
    "app.schedules.services.delete_all": Role.ADMIN,
    "app.schedules.services.delete_schedule": Role.ADMIN,
    "app.schedules.services.pause_schedule": Role.ADMIN,
    "app.schedules.services.resume_schedule": Role.ADMIN,
    "app.schedules.services.run_now": Role.ADMIN,
    "app.schedules.services.run_schedule": Role.ADMIN,
    "app.schedules.services.update_schedule": Role.ADMIN,
    "app.setup.services.add_administrator": None,
    "app.setup.services.claim": None,
    "app.start.queries.read_overview": Role.VIEWER,
    "app.start.search.search_everything": Role.VIEWER,
}
# Packages and functions for which a token is not enough, whoever owns it.
NOT_BY_TOKEN = (
    "app.auth.",
    "app.backups.",
    "app.cities.removed.queries.count_removed",
    "app.cities.removed.services.empty_removed",
    "app.files.removed.queries.count_removed",
    "app.files.removed.services.empty_removed",
    "app.files.services.purge_files",
    "app.files.services.record_purge",
    "app.history.queries.list_authors",
    "app.history.queries.select_entries",
    "app.history.services.",
    "app.schedules.",
)

# Public functions of queries.py and listing.py that ask for no actor, by the reason.
WITHOUT_ACTOR = {
    "builds a statement, a cursor or an error, and reads nothing": {
        "app.auth.queries.name_has",
        "app.cities.exporting.queries.columns_of",
        "app.cities.exporting.queries.is_searched",
        "app.cities.exporting.queries.unkeyed_query",
        "app.cities.exporting.queries.wanted_query",
        "app.cities.importing.queries.is_current",
        "app.cities.importing.queries.lines_of",
        "app.cities.listing.queries.all_hits",
        "app.cities.listing.queries.along_index",
        "app.cities.listing.queries.by_words",
        "app.cities.listing.queries.filters",
        "app.cities.listing.queries.flawed_rows",
        "app.cities.listing.queries.in_order",
        "app.cities.listing.queries.rows_query",
        "app.cities.listing.queries.segments",
        "app.cities.listing.queries.segments_of",
        "app.cities.listing.queries.with_index",
        "app.cities.listing.queries.with_words_index",
        "app.files.listing.cursor_at",
        "app.files.listing.folder_conditions",
        "app.files.listing.is_folder",
        "app.files.listing.or_folder",
        "app.files.listing.owner_queries",
        "app.files.listing.rows_query",
        "app.files.listing.with_index",
        "app.files.zipping.queries.base_of",
        "app.files.queries.no_such_file",
        "app.jobs.deliveries.queries.is_being_delivered",
        "app.jobs.deliveries.queries.is_due",
        "app.jobs.queries.filters",
        "app.removed.listing.by_removal",
        "app.files.queries.same_file",
        "app.files.queries.versions_of",
        "app.files.queries.same_name",
        "app.files.undo.queries.find_folder",
        "app.files.undo.queries.find_version",
        "app.files.undo.queries.is_undoable",
        "app.files.undo.queries.last_about",
        "app.files.undo.queries.newest_of_batch",
        "app.history.queries.later_than",
        "app.history.queries.rows_query",
    },
    "is a part of a read of its module that takes the actor": {
        "app.cities.exporting.queries.read_all",
        "app.cities.exporting.queries.read_batches",
        "app.cities.listing.queries.read_among",
        "app.cities.listing.queries.read_hits",
        "app.cities.details.queries.sum_province",
        "app.cities.listing.queries.read_many",
        "app.cities.listing.queries.read_rows",
        "app.cities.removed.queries.count_between",
        "app.cities.statistics.queries.compute_statistics",
        "app.cities.statistics.queries.read_largest",
        "app.cities.statistics.queries.read_provinces",
        "app.cities.statistics.queries.read_totals",
        "app.files.folders.queries.count_each",
        "app.files.folders.queries.count_files",
        "app.files.folders.queries.count_or_last",
        "app.files.folders.queries.last_totals",
        "app.files.zipping.queries.list_folders",
        "app.files.listing.read_by_owner",
        "app.files.listing.read_files",
        "app.files.listing.read_folders",
        "app.files.listing.read_owners",
        "app.files.listing.read_rows",
        "app.files.removed.queries.count_between",
        "app.files.removed.queries.version_after",
        "app.history.queries.filters",
        "app.history.queries.written_between",
        "app.history.queries.written_since",
        "app.removed.listing.read_rows",
        "app.removed.listing.select_page",
    },
    "runs before anybody is known: at sign-in, set-up and in commands": {
        "app.auth.queries.find_person",
        "app.auth.queries.first_administrator",
        "app.auth.queries.load_person_by_name",
        "app.auth.queries.any_person_exists",
        "app.auth.queries.is_unclaimed",
    },
    "reads a shared result, which all members may know": {
        "app.jobs.deliveries.queries.find_delivery",
        "app.jobs.queries.find_shared",
    },
    "says whether work is being done": {
        "app.jobs.deliveries.queries.count_given_up",
        "app.jobs.queries.has_worker",
        "app.schedules.queries.read_problems",
    },
    "runs within a service or a permitted read": {
        "app.auth.queries.load_person",
        "app.files.queries.has_copy",
        "app.files.queries.lock_owners",
        "app.files.queries.owners_of",
        "app.files.queries.present_file",
        "app.history.queries.check_newest",
        "app.history.queries.check_not_undone",
        "app.history.queries.entries_since",
        "app.history.queries.find_removal",
        "app.history.queries.is_created_in",
    },
    "runs after check_reader(): cities are for members, or for everybody with PUBLIC_READ": {
        "app.cities.queries.find_city",
        "app.cities.queries.province_names",
        "app.cities.listing.queries.has_flawed",
        "app.cities.listing.queries.list_provinces",
    },
    "names what an entry is about, for whoever may see the entry": {
        "app.history.queries.names_when_deleted",
        "app.history.queries.newest_of_subjects",
    },
    "reads the job of a thing that the caller may read": {
        "app.jobs.queries.find_job",
    },
    "reads an import that load_import() gave to the caller": {
        "app.cities.importing.applying.queries.active_jobs",
        "app.cities.importing.applying.queries.undoable_until",
        "app.cities.importing.applying.queries.why_not_undoable",
        "app.cities.importing.queries.count_part",
        "app.cities.importing.queries.first_lines",
        "app.cities.importing.queries.read_refused",
        "app.cities.importing.queries.select_lines",
    },
}


def all_functions():
    """Every function at the top of a module, by its full name."""
    found = {}
    for module in pkgutil.walk_packages(application.__path__, "app."):
        if module.name != "app.wsgi":  # makes an application
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
            for name, function in members:
                if function.__module__ == module.name:
                    found[f"{module.name}.{name}"] = function
    return found


FUNCTIONS = all_functions()
PERMITTED = {name: each for name, each in FUNCTIONS.items() if hasattr(each, "required_role")}
ACTORS = [ANONYMOUS, *(Actor(1, str(role), role) for role in Role)]
SCRIPT = Actor(1, "admin", Role.ADMIN, Via.TOKEN, token_id=1)
REFUSALS = {Unauthorized: "Please sign in", Forbidden: "Your role does not include this"}
# What follows where the check lets an actor through: arguments or the application are missing.
AFTER_THE_CHECK = (TypeError, RuntimeError)
TOO_LOW = [
    (name, actor)
    for name, role in REQUIRED.items()
    if role is not None
    for actor in ACTORS
    if not actor.has_role(role)
]


def takes_no_actor(name):
    """True for a public read that neither takes an actor nor checks a role."""
    module, _dot, function = name.rpartition(".")
    is_read = module.endswith((".queries", ".listing")) and not function.startswith("_")
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    return is_read and "actor" not in parameters and name not in PERMITTED


def refused_by_token(name):
    return name.startswith(NOT_BY_TOKEN) and REQUIRED[name] is not None


def test_every_service_requires_the_role_of_the_list():
    assert {name: function.required_role for name, function in PERMITTED.items()} == REQUIRED


# All of these call without arguments and without an application: nothing but the check runs.


@pytest.mark.parametrize(("name", "actor"), TOO_LOW, ids=lambda each: getattr(each, "name", each))
def test_too_low_a_role_is_refused_before_anything_is_read(name, actor):
    refusal = Unauthorized if actor is ANONYMOUS else Forbidden
    with pytest.raises(refusal, match=REFUSALS[refusal]):
        PERMITTED[name](actor)


@pytest.mark.parametrize(("name", "role"), REQUIRED.items())
def test_the_role_of_the_list_is_enough(name, role):
    actor = next(each for each in ACTORS if each.role is role)
    with suppress(*AFTER_THE_CHECK):
        PERMITTED[name](actor)


@pytest.mark.parametrize("name", [name for name in REQUIRED if refused_by_token(name)])
def test_a_token_is_not_enough_for_what_the_list_says(name):
    with pytest.raises(Forbidden, match="A token is not enough"):
        PERMITTED[name](SCRIPT)


@pytest.mark.parametrize("name", [name for name in REQUIRED if not refused_by_token(name)])
def test_a_token_is_enough_for_everything_else(name):
    with suppress(*AFTER_THE_CHECK):
        PERMITTED[name](SCRIPT)


def test_reads_without_an_actor_are_those_of_the_list():
    listed = [name for names in WITHOUT_ACTOR.values() for name in names]
    assert sorted(filter(takes_no_actor, FUNCTIONS)) == sorted(listed)


def test_oneself_and_for_administrators_everybody_can_be_read(any_app):
    admin, viewer = add_person("admin", "admin"), add_person("viewer")
    assert queries.get_person(actor_of(viewer), viewer).name == "viewer"
    assert queries.get_person(actor_of(admin), viewer).name == "viewer"
    assert queries.get_person(OPERATOR, admin).name == "admin"
    for stranger in (admin, 99):
        with pytest.raises(Forbidden):
            queries.get_person(actor_of(viewer), stranger)


def test_the_command_line_is_not_a_visitor(any_app):
    """It has no id, as visitors have none, but a role."""
    city_id, person_id = add_city(), add_person("editor", "editor")
    assert cities.load_city(OPERATOR, city_id).id == city_id
    with pytest.raises(Unauthorized):
        cities.load_city(ANONYMOUS, city_id)
    add_token(person_id)
    file_id = store(person_id, "a.txt", b"1").id
    for kind, subject_id in (
        ("city", city_id), ("file", file_id), ("person", person_id), ("token", 1),
    ):  # fmt: skip
        may_read = all_subjects()[kind].may_read
        assert list(may_read(OPERATOR, [subject_id])) == [subject_id], kind
        assert not list(may_read(ANONYMOUS, [subject_id])), kind


def test_the_guard_of_views_asks_for_the_role_alone(app):
    view = role_required(Role.EDITOR)(lambda: "shown")
    with app.test_request_context():
        g.must_change_password = False
        g.actor = OPERATOR
        assert view() == "shown"
        g.actor = ANONYMOUS
        with pytest.raises(Unauthorized):
            view()
