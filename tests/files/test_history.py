"""What the history records about files, and who may call the services, on both databases."""

import json

import pytest

from app.actor import ANONYMOUS, Actor, Role, Via
from app.current import settings
from app.errors import Forbidden, NotFound, Unauthorized
from app.files import adoption, services, subjects
from app.files.storage import purging
from app.files.upload import services as uploads
from app.history.entries import describe
from app.history.models import ADMINISTRATORS, EVERYBODY
from tests.factories import OPERATOR, at_once, entries
from tests.files.helpers import PDF, PNG, Script, age, editor, on_disk, received, store


def actions():
    return [(entry.action, entry.subject_id) for entry in entries("file")]


def test_an_upload_is_recorded_with_its_version(people):
    store(people[0], "survey/a.pdf", with_folder=True)
    stored = store(people[0], "survey/a.pdf", PDF + b" ", with_folder=True)
    first, second = entries("file")
    assert (first.action, first.subject_kind) == ("file.create", "file")
    assert (first.version, second.version) == (1, 2)
    assert second.subject_id == stored.id
    assert (second.actor_id, second.via, second.visible_to) == (people[0], "page", EVERYBODY)
    assert (second.before, second.batch_id) == (None, None)
    assert json.loads(second.after) == {
        "owner": "Ada",
        "folder": "survey",
        "name": "a.pdf",
        "version": 2,
        "size": len(PDF) + 1,
        "sha256": stored.sha256,
    }


def test_a_refused_upload_leaves_no_entry(people):
    with pytest.raises(Exception, match=r"not a \.png file"):
        store(people[0], "a.png", PDF)
    assert entries("file") == []


def test_removing_and_restoring_are_one_entry_each_for_all_versions(people):
    first = store(people[0], "a.txt", b"1")
    second = store(people[0], "a.txt", b"2")
    services.remove_file(editor(people[1]), first.id)
    services.restore_file(editor(people[0]), first.id)
    removal, restoring = entries("file")[2:]
    assert (removal.action, removal.subject_id, removal.version) == ("file.delete", second.id, 2)
    assert (removal.actor_id, removal.after, removal.reverts_id) == (people[1], None, None)
    assert json.loads(removal.before)["name"] == "a.txt"
    assert (restoring.action, restoring.subject_id) == ("file.restore", second.id)
    assert (restoring.actor_id, restoring.reverts_id) == (people[0], removal.id)
    assert restoring.before is None
    assert json.loads(restoring.after) == json.loads(removal.before)


def test_a_restored_file_reverts_its_latest_removal(people):
    file_id = store(people[0], "a.txt", b"1").id
    for _ in range(2):
        services.remove_file(editor(people[0]), file_id)
        services.restore_file(editor(people[0]), file_id)
    _created, first, back, second, back_again = entries("file")
    assert (back.reverts_id, back_again.reverts_id) == (first.id, second.id)


def test_restoring_a_file_that_is_not_removed_leaves_no_entry(people):
    file_id = store(people[0], "a.txt", b"1").id
    services.restore_file(editor(people[0]), file_id)
    assert actions() == [("file.create", file_id)]


def test_an_older_removal_restored_below_a_newer_version_is_recorded(people):
    first = store(people[0], "a.txt", b"1").id
    services.remove_file(editor(people[0]), first)
    second = store(people[0], "a.txt", b"2").id
    services.restore_file(editor(people[0]), first)
    assert actions() == [
        ("file.create", first),
        ("file.delete", first),
        ("file.create", second),
        ("file.restore", first),
    ]


def test_removed_by_two_at_once_is_removed_by_one(any_app, people):
    file_id = store(people[0], "a.txt", b"1").id
    results = at_once(
        any_app, *(lambda who=who: services.remove_file(editor(who), file_id) for who in people)
    )
    assert {type(result) for result in results} == {str, NotFound}
    assert [action for action, _id in actions()] == ["file.create", "file.delete"]


def test_restored_by_two_at_once_is_one_entry(any_app, people):
    file_id = store(people[0], "a.txt", b"1").id
    services.remove_file(editor(people[0]), file_id)
    results = at_once(
        any_app, *(lambda who=who: services.restore_file(editor(who), file_id) for who in people)
    )
    assert [result.version for result in results] == [1, 1]
    assert [action for action, _id in actions()].count("file.restore") == 1


def remove_long_ago(person_id, *names):
    """Files that were removed and can no longer be restored."""
    ids = [store(person_id, name, b"1").id for name in names]
    for file_id in ids:
        services.remove_file(editor(person_id), file_id)
    for file_id in ids:
        age(file_id, 31)


def test_automatic_purging_is_not_recorded(people):
    remove_long_ago(people[0], "a.txt")
    assert purging.purge_removed() == 1
    assert [action for action, _id in actions()] == ["file.create", "file.delete"]


def test_purging_by_the_operator_is_one_entry_for_administrators(people):
    remove_long_ago(people[0], "a.txt", "b.txt")
    assert services.purge_files(OPERATOR) == services.PurgeCounts(removed=2)
    entry = entries("file")[-1]
    assert (entry.action, entry.subject_id) == ("file.purge", services.ALL_FILES)
    assert (entry.actor_id, entry.via, entry.visible_to) == (None, Via.COMMAND, ADMINISTRATORS)
    assert json.loads(entry.after) == {"removed_files": 2, "orphaned_files": 0}
    [row] = describe(OPERATOR, [entry])
    assert (row.action, row.label, row.url) == ("Files deleted permanently", "Files", "")
    assert [(change.name, change.new) for change in row.changes] == [
        ("Removed files", "2"),
    ]


def test_purging_nothing_leaves_no_entry(people):
    assert services.purge_files(OPERATOR) == services.PurgeCounts()
    assert entries("file") == []


def test_an_interrupted_purge_records_what_it_deleted(people, monkeypatch):
    """A stored file that cannot be deleted, for example because of its permissions."""
    remove_long_ago(people[0], "a.txt")

    def fail(_folder):
        raise PermissionError

    monkeypatch.setattr(purging, "remove_leftovers", fail)
    with pytest.raises(PermissionError):
        services.purge_files(OPERATOR)
    assert json.loads(entries("file")[-1].after) == {"removed_files": 1, "orphaned_files": 0}


def test_two_purges_at_once_count_each_file_once(any_app, people):
    remove_long_ago(people[0], "a.txt", "b.txt", "c.txt", "d.txt")
    results = at_once(any_app, *[lambda: services.purge_files(OPERATOR)] * 2)
    assert sum(counts.removed for counts in results) == 4
    purges = [entry for entry in entries("file") if entry.action == "file.purge"]
    assert sum(json.loads(entry.after)["removed_files"] for entry in purges) == 4


@pytest.mark.parametrize(
    "actor",
    [Actor(1, "editor", Role.EDITOR), Actor(1, "admin", Role.ADMIN, Via.TOKEN)],
    ids=["editor", "token"],
)
def test_only_administrators_in_person_purge(people, actor):
    remove_long_ago(people[0], "a.txt")
    with pytest.raises(Forbidden):
        services.purge_files(actor)
    assert len(on_disk(settings().files_dir)) == 1


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(ANONYMOUS, Unauthorized), (Actor(1, "viewer", Role.VIEWER), Forbidden)],
    ids=["anonymous", "viewer"],
)
def test_only_editors_store_files(people, actor, refusal):
    with pytest.raises(refusal):
        uploads.store_uploads(actor, [received("a.pdf")])
    assert entries("file") == []
    assert {path.suffix for path in on_disk(settings().files_dir)} == {".part"}, "nothing is stored"


def test_only_administrators_adopt_files(people, tmp_path):
    """It is one refusal, and not one for each file."""
    (tmp_path / "a.pdf").write_bytes(PDF)
    with pytest.raises(Forbidden):
        adoption.adopt_files(editor(people[0]), tmp_path, None, people[1])
    assert entries("file") == []


def test_visitors_neither_remove_nor_restore(people):
    file_id = store(people[0], "a.txt", b"1").id
    for service in (services.remove_file, services.restore_file):
        with pytest.raises(Unauthorized):
            service(ANONYMOUS, file_id)
    assert actions() == [("file.create", file_id)]


def test_a_form_of_several_files_is_one_batch(app):
    script = Script(app)
    script.upload(("f/a.pdf", PDF), ("f/b.gif", b"MZ"), ("f/c.png", PNG), field="folder")
    script.upload(("d.pdf", PDF))
    with app.app_context():
        first, second, alone = entries("file")
        assert first.batch_id == second.batch_id is not None
        assert alone.batch_id is None
        assert (first.via, first.actor_id) == ("token", script.person_id)
        assert None not in (first.token_id, first.request_id)


def test_adoption_is_one_batch_of_the_operator(people, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for name, data in (("a.pdf", PDF), ("b.png", PNG)):
        (folder / name).write_bytes(data)
    results = adoption.adopt_files(Actor.operator(), folder, None, people[1])
    assert [result.state for result in results] == ["adopted", "adopted"]
    first, second = entries("file")
    assert (first.actor_id, first.via, first.action) == (None, Via.COMMAND, "file.create")
    assert json.loads(second.after)["owner"] == "林梅"
    assert first.batch_id == second.batch_id is not None


def test_the_history_knows_labels_addresses_and_readers_of_files(any_app, people):
    file_id = store(people[0], "f/a.txt", b"1", with_folder=True).id
    other = store(people[0], "b.txt", b"2").id
    subject = subjects.FILE
    assert subject.labels([file_id, other, 99]) == {file_id: "f/a.txt", other: "b.txt"}
    assert subject.url(file_id) == f"/files/{file_id}/details"
    viewer = Actor(people[1], "viewer", Role.VIEWER)
    assert set(subject.may_read(viewer, [file_id, other])) == {file_id, other}
    assert not subject.may_read(ANONYMOUS, [file_id])
    services.remove_file(editor(people[0]), file_id)
    assert list(subject.may_read(viewer, [file_id, other])) == [other]
    assert set(json.loads(entries("file")[0].after)) <= set(subject.fields)
    assert {entry.action for entry in entries("file")} <= set(subject.actions)
