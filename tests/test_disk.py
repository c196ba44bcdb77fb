"""Whether the disk has room."""

import os

import pytest

from app.disk import has_space, is_full, lacks_inodes
from tests.cities.staging import MIXED, send
from tests.files.helpers import PDF, Script

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("total", "free", "coming", "full"),
    [
        (10 * GB, 2 * GB, 0, False),
        (10 * GB, GB, 0, False),
        (10 * GB, GB - 1, 0, True),  # 10 %, but less than 1 GB
        (100 * GB, 5 * GB, 0, False),
        (100 * GB, 5 * GB - 1, 0, True),  # over 1 GB, but less than 5 %
        (100 * GB, 6 * GB, GB, False),
        (100 * GB, 6 * GB, GB + 1, True),
    ],
)
def test_space_ends_at_5_percent_or_1_gigabyte(total, free, coming, full):
    assert is_full(total, free, coming) is full


def test_space_of_this_machine_is_asked(tmp_path):
    assert not has_space(tmp_path / "new", coming=10**18)


@pytest.mark.parametrize(
    ("total", "free", "lacks"),
    [(1000, 50, False), (1000, 49, True), (1000, 0, True), (0, 0, False)],
)
def test_inodes_end_at_5_percent_where_they_are_limited(total, free, lacks):
    assert lacks_inodes(total, free) is lacks


def short_of_inodes(monkeypatch):
    """The file system has bytes left and hardly an inode."""
    real = os.statvfs

    def statvfs(path):
        values = list(real(path))
        values[5:8] = 1000, 49, 49  # f_files, f_ffree, f_favail
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "statvfs", statvfs)


def test_uploads_and_imports_are_refused_without_inodes(app, as_role, monkeypatch):
    script, editor = Script(app), as_role("editor")
    short_of_inodes(monkeypatch)
    for answer in (script.upload(("a.pdf", PDF)), send(editor, MIXED)):
        assert answer.status_code == 507
        assert "Nothing was saved." in answer.text
    monkeypatch.undo()
    assert script.upload(("a.pdf", PDF)).status_code == 200
    assert send(editor, MIXED).status_code == 303
