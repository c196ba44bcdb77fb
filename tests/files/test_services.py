"""Removing and restoring files on both databases."""

import pytest
from sqlalchemy import select

from app.actor import Actor, Role
from app.current import settings
from app.database.cursor import FIRST
from app.database.engine import db
from app.errors import Forbidden, NotFound
from app.files import queries, services
from app.files.models import File
from app.files.removed.queries import RemovedFileListing, select_removed
from tests.factories import OPERATOR, at_once
from tests.files.helpers import (
    age,
    editor,
    on_disk,
    store,
)


def test_all_versions_are_removed_and_restored_together(people):
    first, second = store(people[0], "a.txt", b"1"), store(people[0], "a.txt", b"2")
    other = store(people[1], "a.txt", b"3")
    assert services.remove_file(editor(people[1]), second.id) == "a.txt"
    for file_id in (first.id, second.id):
        with pytest.raises(NotFound):
            queries.load_file(OPERATOR, file_id)
    with pytest.raises(NotFound):
        services.remove_file(editor(people[0]), second.id)
    assert queries.find_file(OPERATOR, "a.txt").id == other.id
    assert services.restore_file(editor(people[0]), second.id).name == "a.txt"
    assert queries.load_file(OPERATOR, first.id).removed_at is None
    assert queries.load_file(OPERATOR, second.id).removed_by is None
    assert services.restore_file(editor(people[0]), second.id).name == "a.txt", (
        "repeating it changes nothing"
    )


def removed_versions():
    page, _total = select_removed(OPERATOR, RemovedFileListing(), FIRST)
    return sorted(each.File.version for each in page.rows)


def present_versions():
    rows = db.session.scalars(
        select(File.version).where(File.replaced_at.is_(None), File.removed_at.is_(None))
    )
    return list(rows)


def test_a_file_uploaded_again_and_then_restored_has_one_current_version(people):
    first = store(people[0], "a.txt", b"1")
    services.remove_file(editor(people[0]), first.id)
    second = store(people[0], "a.txt", b"2")
    assert second.version == 2
    assert removed_versions() == [1]
    back = services.restore_file(editor(people[0]), first.id)
    assert (back.version, back.current_version, back.current_id) == (1, 2, second.id)
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None
    assert queries.find_file(OPERATOR, "a.txt").id == second.id
    assert (removed_versions(), present_versions()) == ([], [2])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_files_removed_twice_under_one_name_are_restored_in_any_order(people, order):
    ids = []
    for data in (b"1", b"2"):
        ids.append(store(people[0], "a.txt", data).id)
        services.remove_file(editor(people[0]), ids[-1])
    assert removed_versions() == [1, 2]
    for place in order:
        services.restore_file(editor(people[0]), ids[place])
    assert present_versions() == [2]
    assert store(people[0], "a.txt", b"3").version == 3
    assert present_versions() == [3]


def test_restoring_during_an_upload_of_the_same_name_leaves_one_current_version(any_app, people):
    first = store(people[0], "a.txt", b"1").id
    services.remove_file(editor(people[0]), first)
    results = at_once(
        any_app,
        lambda: store(people[0], "a.txt", b"2").version,
        lambda: services.restore_file(editor(people[0]), first).version,
    )
    assert results == [2, 1]
    db.session.rollback()
    assert present_versions() == [2]


def test_a_viewer_removes_and_restores_only_their_own_files(people):
    """Somebody who was an editor when it was uploaded."""
    own, other = store(people[0], "a.txt", b"1").id, store(people[1], "b.txt", b"2").id
    viewer = Actor(people[0], "Ada", Role.VIEWER)
    with pytest.raises(Forbidden):
        services.remove_file(viewer, other)
    services.remove_file(editor(people[1]), other)
    with pytest.raises(Forbidden):
        services.restore_file(viewer, other)
    services.remove_file(viewer, own)
    assert services.restore_file(viewer, own).name == "a.txt"


def test_a_file_is_not_restored_after_the_undo_period_even_if_not_purged_yet(people):
    file_id = store(people[0], "a.txt", b"x").id
    services.remove_file(editor(people[0]), file_id)
    age(file_id, 30.1)
    assert removed_versions() == []
    with pytest.raises(NotFound, match="cannot be restored"):
        services.restore_file(editor(people[0]), file_id)
    assert len(on_disk(settings().files_dir)) == 1
    age(file_id, 29.9)
    assert services.restore_file(editor(people[0]), file_id).version == 1
