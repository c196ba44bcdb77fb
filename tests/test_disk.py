"""Free disk space: when uploads and imports are refused."""

import os
import shutil

import pytest

from app.disk import has_space, is_full, lacks_inodes
from tests.cities.importing.staging import MIXED, send
from tests.files.helpers import PDF, Script, files_dir
from tests.html import Page

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("total", "free", "incoming", "full"),
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
def test_5_percent_and_1_gigabyte_stay_free(total, free, incoming, full):
    assert is_full(total, free, incoming) is full


def test_an_upload_larger_than_the_disk_does_not_fit(tmp_path):
    assert not has_space(tmp_path / "new", incoming=10**18)


@pytest.mark.parametrize(
    ("total", "free", "lacks"),
    [(1000, 50, False), (1000, 49, True), (1000, 0, True), (0, 0, False)],
)
def test_5_percent_of_limited_inodes_stay_free(total, free, lacks):
    assert lacks_inodes(total, free) is lacks


def in_place_of_folder(folder):
    folder.write_text("a file")


def in_place_of_parent(folder):
    folder.symlink_to(folder.with_name("file") / "files")
    folder.with_name("file").write_text("a file")


def read_only(folder):
    folder.mkdir(mode=0o500)


# Root may write everywhere.
SPOILS = [in_place_of_folder, in_place_of_parent, *([read_only] if os.geteuid() else [])]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_folder_that_cannot_be_written_to_has_no_space(tmp_path, caplog, spoil):
    folder = tmp_path / "files"
    spoil(folder)
    assert not has_space(folder)
    (line,) = caplog.messages
    assert line.startswith(f"nothing can be stored in {folder}: ")


def test_an_upload_into_such_a_folder_is_refused(app):
    script = Script(app)
    shutil.rmtree(files_dir(app), ignore_errors=True)
    files_dir(app).parent.mkdir(exist_ok=True)
    in_place_of_folder(files_dir(app))
    response = script.upload(("a.pdf", PDF))
    assert response.status_code == 507
    assert "Nothing was saved." in response.text


def short_of_inodes(monkeypatch):
    """Make the file system report few free inodes."""
    real = os.statvfs

    def statvfs(path):
        values = list(real(path))
        values[5:8] = 1000, 49, 49  # f_files, f_ffree, f_favail
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "statvfs", statvfs)


def test_uploads_and_imports_are_refused_without_inodes(app, as_role, monkeypatch):
    script, editor = Script(app), as_role("editor")
    short_of_inodes(monkeypatch)
    uploaded, imported = script.upload(("a.pdf", PDF)), send(editor, MIXED)
    assert uploaded.status_code == imported.status_code == 507
    assert "Nothing was saved." in uploaded.text
    assert "Nothing was saved." in Page(imported).text(".error-summary")
    monkeypatch.undo()
    assert script.upload(("a.pdf", PDF)).status_code == 200
    assert send(editor, MIXED).status_code == 303
