"""Permanent deletion of removed and of orphaned files, on both databases."""

import pytest

from app.current import settings
from app.errors import NotFound
from app.files import queries, services
from app.files.services import PurgeCounts
from app.files.storage import purging
from app.files.storage.folder import Incoming, path_of, store_together
from tests.factories import OPERATOR
from tests.files.helpers import (
    age,
    editor,
    on_disk,
    store,
)


def test_removed_bytes_are_deleted_after_the_time_of_the_setting(people):
    young, old, present = (store(people[0], f"{n}.txt", b"x").id for n in range(3))
    services.remove_file(editor(people[0]), young)
    services.remove_file(editor(people[0]), old)
    age(young, 29.9)
    age(old, 30.1)
    assert purging.purge_removed() == 1
    with pytest.raises(NotFound, match="cannot be restored"):
        services.restore_file(editor(people[0]), old)
    services.restore_file(editor(people[0]), young)
    assert len(on_disk(settings().files_dir)) == 2
    assert queries.load_file(OPERATOR, present)


def test_orphaned_bytes_are_deleted_after_a_day(people):
    import os
    import time

    stored = store(people[0], "a.txt", b"x")
    folder = settings().files_dir
    incoming = Incoming(folder, 10)
    stray = path_of(folder, store_together([(incoming, "txt")])[0])
    assert services.purge_files(OPERATOR) == PurgeCounts()
    for path in on_disk(folder):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert services.purge_files(OPERATOR) == PurgeCounts(orphaned=1)
    assert not stray.exists()
    assert queries.load_file(OPERATOR, stored.id)
