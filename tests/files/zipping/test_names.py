"""Names in zip files."""

import pytest

from app.files.zipping import names
from app.files.zipping.names import PATH_MOST, ZipNames, cut_name, portable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("CON", "CON_"), ("con.txt", "con_.txt"), ("Nul.tar.gz", "Nul_.tar.gz"),
        ("COM1", "COM1_"), ("lpt\u00b9.log", "lpt\u00b9_.log"), ("CON .txt", "CON_ .txt"),
        ("CONSOLE.txt", "CONSOLE.txt"), ("COM10", "COM10"), ("icon", "icon"),
        ('a<b>:"|?*.txt', "a_b______.txt"), ("..", "_"), ("a. ", "a"), (".profile", ".profile"),
        ("Cafe\u0301", "Café"), ("报告", "报告"),
    ],
)  # fmt: skip
def test_a_name_is_one_on_every_system(name, expected):
    assert portable(name) == expected


def test_names_that_are_one_somewhere_get_numbers():
    names = ZipNames()
    assert [
        names.of_file("", name)
        for name in ("a.txt", "A.TXT", "a.txt", "Café", "cafe\u0301", "x?", "x*", "archive.tar.gz")
    ] == ["a.txt", "A (2).TXT", "a (3).txt", "Café", "café (2)", "x_", "x_ (2)", "archive.tar.gz"]
    assert names.of_folder("Docs") == "Docs/"
    assert names.of_folder("docs") == "docs (2)/"
    assert names.of_file("docs", "a.txt") == "docs (2)/a.txt"
    assert names.of_file("", "DOCS") == "DOCS (3)"
    assert names.of_file("aux/b", "c") == "aux_/b/c"


def test_long_paths_are_cut_and_stay_different():
    names = ZipNames()
    folder = "/".join(["A rather long name of a folder, as people write them"] * 9)
    paths = [names.of_file(folder, "n" * 200 + f"{number}.txt") for number in range(3)]
    assert len(set(paths)) == 3
    assert all(len(path) <= PATH_MOST + 40 and path.endswith(".txt") for path in paths)
    long = names.of_file("", "报" * 85 + ".txt")
    assert len(long.encode()) <= 255
    assert long.endswith("报.txt")


def test_many_long_names_that_are_cut_to_the_same_take_few_tries(monkeypatch):
    tried = []
    monkeypatch.setattr(names, "cut_name", lambda *args: tried.append(args) or cut_name(*args))
    zip_names, folder = ZipNames(), "/".join(["f" * 30] * 7)
    given = [zip_names.of_file(folder, "photograph " * 12 + f"{n:04}.jpg") for n in range(300)]
    assert len(set(given)) == 300
    assert len(tried) < 1000
