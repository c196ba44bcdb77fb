"""A write invalidates the totals of its folder and of those above it: whatever is written, they are
the same as without the cache, and those of other folders are not counted again."""

import random
from contextlib import suppress
from itertools import product

import pytest
from sqlalchemy import select

from app.database.engine import db
from app.errors import DomainError
from app.files import services as files
from app.files.folders import queries, services
from app.files.folders.models import Folder
from app.files.folders.selection import Selection
from app.files.listing import FileListing
from app.files.models import File
from app.history.undo import undo_entry
from tests.factories import any_undoable, note_calls, without_redis
from tests.files.helpers import editor, store

TOP, BELOW = ["a", "b", "a b"], ["", "/x", "/y", "/x/deep"]
PATHS = ["", *("".join(parts) for parts in product(TOP, BELOW))]
ROUNDS = 25


class Writer:
    """Writes as people do; what is refused is left."""

    def __init__(self, owner_id, chance):
        self.actor, self.chance, self.batches = editor(owner_id), chance, []

    def write(self):
        writes = [
            self.upload,
            self.remove,
            self.restore,
            self.create,
            self.move,
            self.remove_folder,
        ]
        writes += [self.restore_batch, self.undo]
        with suppress(DomainError):
            self.chance.choices(writes, [8, 3, 3, 2, 3, 2, 2, 3])[0]()
        db.session.rollback()

    def some(self, query):
        found = db.session.scalars(query).all()
        db.session.rollback()
        return self.chance.choice(found) if found else 0

    def upload(self):
        path = f"{self.chance.choice(PATHS)}/f{self.chance.randrange(9)}.txt".strip("/")
        store(self.actor.id, path, self.chance.randbytes(9).hex().encode(), with_folder=True)

    def remove(self):
        files.remove_file(self.actor, self.some(select(File.id).where(File.removed_at.is_(None))))

    def restore(self):
        files.restore_file(
            self.actor, self.some(select(File.id).where(File.removed_at.is_not(None)))
        )

    def create(self):
        services.create_folder(self.actor, self.chance.choice(PATHS), self.chance.choice("xy"))

    def folder(self):
        return Selection((), (self.some(select(Folder.id)),))

    def move(self):
        name = self.chance.choice([None, *TOP, "x", "deep"])
        services.move_selected(self.actor, self.folder(), self.chance.choice(PATHS), name)

    def remove_folder(self):
        self.batches.append(services.remove_selected(self.actor, self.folder()).batch_id)

    def restore_batch(self):
        if self.batches:
            services.restore_batch(self.actor, self.chance.choice(self.batches))

    def undo(self):
        if entry := any_undoable(self.actor, self.chance, "file", "folder"):
            undo_entry(self.actor, entry)


def count(actor):
    """Everything that is cached, by what it is of."""
    found = {}
    for path in PATHS:
        found[path] = queries.read_totals(actor, FileListing(folder=path))
        found[path, "1"] = queries.read_totals(actor, FileListing(folder=path, search="1"))
    for top in TOP:
        rows = [Folder(path=path) for path in PATHS if path.startswith(f"{top}/")]
        found[top, "below"] = queries.count_below(actor, rows)
    db.session.rollback()
    return found


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_whatever_is_written_totals_are_as_without_the_cache(any_app, people, monkeypatch, seed):
    writer = Writer(people[0], random.Random(seed))
    counted, spared = note_calls(monkeypatch, queries, "count_files"), 0
    for _round in range(ROUNDS):
        writer.write()
        counted.clear()
        cached = count(writer.actor)
        spared += 2 * len(PATHS) - len(counted)
        with without_redis(any_app):
            assert count(writer.actor) == cached
    assert spared > 5 * ROUNDS


@pytest.fixture
def counted(any_app, people, monkeypatch):
    """A function that asks for the totals of folders, and returns which were counted for it."""
    calls = note_calls(monkeypatch, queries, "count_files")

    def ask(*paths):
        calls.clear()
        for path in paths:
            queries.read_totals(editor(people[0]), FileListing(folder=path))
        return [listing.folder for (listing,) in calls]

    for path in ("a/x/1.txt", "a/y/1.txt", "b/1.txt", "1.txt"):
        store(people[0], path, b"x", with_folder=True)
    ask(*ASKED)
    assert ask(*ASKED) == []
    return ask


ASKED = ["", "a", "a/x", "a/y", "b"]


def test_a_change_of_a_file_counts_its_folders_again(people, counted):
    me = editor(people[0])
    file_id = store(people[0], "a/x/2.txt", b"y", with_folder=True).id
    assert counted(*ASKED) == ["", "a", "a/x"]
    files.remove_file(me, file_id)
    assert counted(*ASKED) == ["", "a", "a/x"]
    files.restore_file(me, file_id)
    assert counted(*ASKED) == ["", "a", "a/x"]
    services.create_folder(me, "b", "new")
    assert counted(*ASKED) == ["", "b"]
    store(people[0], "2.txt", b"y")
    assert counted(*ASKED) == [""]


def test_a_moved_folder_counts_all_again(people, counted):
    moved = Selection((), (queries.find_folder(editor(people[0]), "a/y").id,))
    db.session.rollback()
    services.move_selected(editor(people[0]), moved, "b")
    assert counted(*ASKED) == ASKED
