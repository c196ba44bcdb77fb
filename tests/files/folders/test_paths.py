"""Paths of folders, without a database."""

import pytest

from app.errors import Invalid
from app.files.folders.paths import ancestors, clean_folder, is_inside, moved, name_of, parent_of
from app.files.search_keys import folder_key, keys


def test_a_path_has_a_name_a_parent_and_ancestors():
    assert (name_of("a/b/c"), parent_of("a/b/c")) == ("c", "a/b")
    assert (name_of("a"), parent_of("a")) == ("a", "")
    assert ancestors("a/b/c") == ["a", "a/b", "a/b/c"]
    assert ancestors("") == []


def test_what_is_inside_a_folder():
    assert all(is_inside(*pair) for pair in (("a/b", "a"), ("a", "a"), ("a", "")))
    assert not any(is_inside(*pair) for pair in (("ab", "a"), ("A/b", "a"), ("", "a")))
    assert [moved(path, "a/b", "x") for path in ("a/b", "a/b/c")] == ["x", "x/c"]


@pytest.mark.parametrize(
    ("sent", "path"),
    [("", ""), ("/", ""), (" survey/ 2026. /", "survey/2026"), ("Cafe\u0301/b", "Café/b")],
)
def test_a_sent_path_is_cleaned_part_by_part(sent, path):
    assert clean_folder(sent) == path


@pytest.mark.parametrize("sent", ["a//b", "a/../b", "a\\b", "a\0b", "x" * 256, "a/" * 300 + "b"])
def test_an_invalid_path_is_refused(sent):
    with pytest.raises(Invalid):
        clean_folder(sent)


@pytest.mark.parametrize("folder", ["", "Survey", "Ｓurvey/Zürich ", "a/\u200bb/ﬁle", "国/⺠"])
@pytest.mark.parametrize("name", ["x.txt", "\u0301x", "ＡＢＣ.PDF", "\u200b b", "ﷺ" * 20])
def test_the_key_of_a_file_begins_with_that_of_its_folder(folder, name):
    assert keys(folder, name)["search_key"].startswith(folder_key(folder) + "/")
    rest = keys(folder, name)["search_key"].removeprefix(folder_key(folder))
    assert keys("another/place", name)["search_key"] == folder_key("another/place") + rest
