"""Whatever is uploaded, moved, removed, restored and undone, in whatever order: a file has one
current version. On both databases."""

import random

import pytest
from sqlalchemy import case, func, select

from app.database.engine import db
from app.errors import DomainError
from app.files import services as files
from app.files.folders import services
from app.files.folders.models import Folder
from app.files.folders.selection import Selection
from app.files.models import File
from app.history.models import HistoryEntry
from app.history.queries import load_entry
from app.history.undo import undo_entries, undo_entry
from tests.factories import entries
from tests.files.folders.test_services import folders, paths, picked, put
from tests.files.helpers import editor

# Few, so that files meet.
PLACES = ("a", "b")
NAMES = ("n.txt",)
STEPS = 60


def versions():
    """Of all files that are there: the path, and how many versions are current."""
    db.session.rollback()
    current = func.sum(case((File.replaced_at.is_(None), 1), else_=0))
    query = select(File.owner_id, File.folder, File.name, current)
    query = query.where(File.removed_at.is_(None))
    return db.session.execute(query.group_by(File.owner_id, File.folder, File.name)).all()


def current_ids():
    query = select(File.id).where(File.removed_at.is_(None), File.replaced_at.is_(None))
    return db.session.scalars(query.order_by(File.id)).all()


class Person:
    """Somebody who does something at random; what cannot be done is not done."""

    def __init__(self, person_id, seed):
        self.id, self.actor, self.random = person_id, editor(person_id), random.Random(seed)

    def step(self):
        rare = [self.restore_file, self.undo]
        steps = [self.upload, self.move, self.remove, self.restore]
        step = self.random.choice(rare if self.random.random() < 0.1 else steps)
        try:
            step()
        except DomainError:
            db.session.rollback()
        return step.__name__

    def choose(self, found, most=1):
        found = list(found)
        return self.random.sample(found, min(len(found), self.random.randint(1, most)))

    def selection(self):
        if self.random.random() < 0.1:
            query = select(Folder.id).order_by(Folder.id)
            return Selection((), tuple(self.choose(db.session.scalars(query))))
        return Selection(tuple(self.choose(current_ids(), most=3)), ())

    def upload(self):
        path = f"{self.random.choice(PLACES)}/{self.random.choice(NAMES)}"
        put(self.id, path, self.random.randbytes(4).hex().encode())

    def move(self):
        services.move_selected(self.actor, self.selection(), self.random.choice(PLACES))

    def remove(self):
        services.remove_selected(self.actor, self.selection())

    def restore(self):
        entry = HistoryEntry
        query = select(entry.batch_id).where(entry.action == "file.delete")
        query = query.where(entry.batch_id.is_not(None)).order_by(entry.id)
        for batch in self.choose(dict.fromkeys(db.session.scalars(query))):
            services.restore_batch(self.actor, batch)

    def restore_file(self):
        query = select(File.id).where(File.removed_at.is_not(None)).order_by(File.id)
        for file_id in self.choose(db.session.scalars(query)):
            files.restore_file(self.actor, file_id)

    def undo(self):
        query = select(HistoryEntry.id).order_by(HistoryEntry.id.desc()).limit(12)
        for entry_id in self.choose(db.session.scalars(query)):
            entry = load_entry(self.actor, entry_id)
            if entry.batch_id and self.random.random() < 0.7:
                undo_entries(self.actor, [entry])
            else:
                undo_entry(self.actor, entry)


@pytest.mark.parametrize("seed", [5, 24])  # with these it can fail
def test_a_file_has_one_current_version_after_each_step(any_app, people, seed):
    person, done = Person(people[0], seed), []
    for _number in range(STEPS):
        done.append(person.step())
        assert {row[-1] for row in versions()} <= {1}, len(done)


def removed_in_two_folders(person_id):
    """Two files of one name that were removed together and are at one path since, and a third one
    that was removed there later; the batch of the first removal."""
    me = editor(person_id)
    both = [put(person_id, path, path.encode()) for path in ("F/c/n.txt", "F/m/n.txt")]
    batch = services.remove_selected(me, picked(*both)).batch_id
    again = put(person_id, "F/c/n.txt", b"again")
    services.move_selected(me, picked(again), "F/m")
    return batch, again


def test_files_that_come_back_to_one_name_are_versions_of_one_file(any_app, people):
    me = editor(people[0])
    batch, again = removed_in_two_folders(people[0])
    files.remove_file(me, again)
    assert services.restore_together(me, batch).behind == 1
    assert versions() == [(people[0], "F/m", "n.txt", 1)]
    assert paths()[0] == ["F/m/n.txt:2", "F/m/n.txt:1"]
    assert [db.session.get(File, each).version for each in current_ids()] == [2]


def test_with_a_newer_one_there_that_stays_current(any_app, people):
    batch, again = removed_in_two_folders(people[0])
    assert services.restore_together(editor(people[0]), batch).behind == 2
    assert current_ids() == [again]
    assert len(paths()[0]) == 3


def test_what_came_back_to_one_name_is_removed_again_by_undo(any_app, people):
    me = editor(people[0])
    batch, again = removed_in_two_folders(people[0])
    files.remove_file(me, again)
    services.restore_batch(me, batch)
    head = next(each for each in entries("file") if each.action == "file.restore")
    texts = undo_entries(me, [load_entry(me, head.id)])
    assert "have changed" not in " ".join(map(str, texts))
    assert paths()[0] == []


def test_a_folder_comes_back_with_one_file_of_each_name(any_app, people):
    me = editor(people[0])
    for path in ("F/c/n.txt", "F/m/n.txt"):
        put(people[0], path, path.encode())
    batch = services.remove_selected(me, folders("F")).batch_id
    again = put(people[0], "F/c/n.txt", b"again")
    put(people[0], "F/m/other.txt")
    services.move_selected(me, picked(again), "F/m")
    files.remove_file(me, again)
    services.restore_batch(me, batch)
    assert {row[-1] for row in versions()} == {1}
