"""What a file may be called."""

import unicodedata
from itertools import islice

import pytest

from app.errors import Invalid
from app.files.names import clean_name, clean_path, numbered, printable


@pytest.mark.parametrize(
    "name",
    ["报告 (终稿).pdf", ".profile.txt", "CON", "con.txt", "a..b.txt", "ümläut.txt", "👩‍👩‍👧.png",
     "x" * 251 + ".txt", "文" * 83 + "a.txt", "100%.txt", "a&b;c=d.txt", "'\"<b>.txt", "~", "-rf"],
)  # fmt: skip
def test_names_that_are_accepted_unchanged(name):
    path = clean_path(name)
    assert (path.folder, path.name, path.trimmed) == ("", name, False)


@pytest.mark.parametrize(
    ("sent", "cleaned"),
    [
        (" a.txt", "a.txt"),
        ("a.txt \t".replace("\t", "\u3000"), "a.txt"),
        ("a.txt...", "a.txt"),
        ("a.txt. . .", "a.txt"),
        ("\u00a0.hidden.txt.", ".hidden.txt"),
    ],
)
def test_outer_spaces_and_trailing_dots_are_trimmed_and_reported(sent, cleaned):
    path = clean_path(sent)
    assert (path.name, path.trimmed) == (cleaned, True)


def test_composing_a_name_is_not_reported():
    path = clean_path(unicodedata.normalize("NFD", "Zürich é.txt"))
    assert path.name == unicodedata.normalize("NFC", "Zürich é.txt")
    assert not path.trimmed


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", " .. ", "...", ". .", "a/b.txt", "../a.txt", "/etc/passwd", "a\\b.txt",
     "a\0.txt", "a\n.txt", "a\r\nSet-Cookie: x.txt", "a\x7f.txt", "a\u202egpj.exe", "\u2066a.txt",
     "a\u200f.txt", "a\u2028.txt", "a\ud800.txt", "x" * 252 + ".txt", "文" * 84 + ".txt"],
)  # fmt: skip
def test_names_that_are_refused(name):
    with pytest.raises(Invalid):
        clean_name(name)


# Marks of alternating order, of which composing takes time with the square of their number.
MARKS = "\u0301\u0327"


@pytest.mark.parametrize(
    ("sent", "with_folder"),
    [
        ("a" + MARKS * 600 + ".txt", False),
        ("a" + MARKS * 600 + "/a.txt", True),
        ("a/" + MARKS * 600 + ".txt", True),
        ("/".join(["a" + MARKS * 400] * 3) + "/a.txt", True),
        ("a.txt" + " ." * 600, False),
    ],
)
def test_a_name_too_long_in_any_form_is_refused_without_composing_it(
    monkeypatch, sent, with_folder
):
    composed, normalize = [], unicodedata.normalize

    def watch(form, text):
        composed.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", watch)
    with pytest.raises(Invalid, match="can have at most"):
        clean_path(sent, with_folder)
    assert all(length <= 4 * 255 for length in composed)


def test_a_name_of_four_characters_for_each_composed_one_is_accepted():
    assert clean_path("\u03b1\u0313\u0300\u0345" * 83 + ".txt").name == "\u1f82" * 83 + ".txt"


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "文" * 83 + ".txt", "文" * 85])
def test_a_number_does_not_make_a_name_too_long(name):
    first, second = islice(numbered(name), 2)
    assert first == name
    assert clean_name(second) == second
    assert " (2)" in second


def test_a_path_is_cleaned_part_by_part():
    path = clean_path("survey/ north /. deep ./报告.pdf", with_folder=True)
    assert (path.folder, path.name, path.trimmed) == ("survey/north/. deep", "报告.pdf", True)


@pytest.mark.parametrize(
    "path",
    ["/abs/a.txt", "a//b.txt", "a/../b.txt", "a/./b.txt", "a/", "../../x.txt", "a\\b/c.txt",
     "/".join(["f" * 100] * 6) + "/a.txt"],
)  # fmt: skip
def test_paths_that_are_refused(path):
    with pytest.raises(Invalid):
        clean_path(path, with_folder=True)


@pytest.mark.parametrize(
    ("name", "extension"), [("a.PDF", "pdf"), ("a", ""), (".txt", "txt"), ("a.tar.gz", "gz")]
)
def test_the_extension_follows_the_last_dot(name, extension):
    assert clean_path(name).extension == extension


def test_refused_names_are_shown_on_one_line():
    assert printable("a\nb\u202e文.txt") == "a\\nb\\u202e文.txt"


def test_a_long_refused_name_is_cut():
    longest = "文" * 500 + "/" + "x" * 255
    assert printable(longest) == longest
    assert printable(longest + "y") == longest[:-1] + "…"


def test_control_characters_are_named():
    with pytest.raises(Invalid, match="A name cannot contain control characters"):
        clean_name("a\n.txt")


@pytest.mark.parametrize(
    ("sent", "name"),
    [("\u200ba.txt\ufeff", "a.txt"), ("a\u200db", "a\u200db"), ("☎\ufe0f", "☎\ufe0f"),
     ("\u2060. .\u200b.", "")],
)  # fmt: skip
def test_names_have_no_invisible_ends(sent, name):
    if name:
        assert clean_name(sent) == name
    else:
        with pytest.raises(Invalid, match="The name is empty"):
            clean_name(sent)


@pytest.mark.parametrize("sent", ["", " ", "\u200b", "\u3164", "\u2800\u00ad", "."])
def test_names_without_a_visible_character_are_refused(sent):
    with pytest.raises(Invalid, match=r"empty|not a valid"):
        clean_name(sent)
