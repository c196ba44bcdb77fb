"""flask adopt-files and flask purge-files."""

import os
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.auth import services as auth
from app.database.engine import db
from app.files import adoption, queries
from app.files.models import File
from tests.factories import OPERATOR, actor_of, add_person, at_once, run_command
from tests.files.helpers import PDF, PNG, REPORT, Script, files_dir
from tests.html import Page


@pytest.fixture
def old(tmp_path):
    """A folder as the original left it."""
    folder = tmp_path / "old"
    (folder / "survey").mkdir(parents=True)
    return folder


@pytest.fixture
def run(app, flask):
    """Runs a command, where Ada is an editor."""
    with app.app_context():
        add_person("Ada", "editor")
    return flask


def test_a_plain_folder_is_copied_with_its_paths(app, run, old):
    (old / "report.pdf").write_bytes(PDF)
    (old / "survey" / "map.png").write_bytes(PNG)
    (old / "survey" / "wrong.png").write_bytes(PDF)
    (old / "notes.gif").write_bytes(b"MZ")
    (old / "link.pdf").symlink_to(old / "report.pdf")
    os.utime(old / "report.pdf", (1_500_000_000, 1_500_000_000))
    done = run("adopt-files", old, "--owner", "ada")
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    assert lines[-1] == "2 adopted, 2 to check, 0 already here, 1 skipped"
    assert "link.pdf\tskipped: a link" in lines
    assert "report.pdf\tadopted" in lines
    assert "survey/map.png\tadopted" in lines
    assert "notes.gif\tto check: The content is not a .gif file." in lines
    assert "survey/wrong.png\tto check: The content is not a .png file." in lines
    assert (old / "report.pdf").read_bytes() == PDF, "it is copied, not moved"
    with app.app_context():
        file = queries.find_file(OPERATOR, "survey/map.png")
        assert file.owner.name == "Ada"
        assert queries.find_file(OPERATOR, "report.pdf").created_at.year == 2017
        wrong = queries.find_file(OPERATOR, "survey/wrong.png")
        assert (wrong.flaw, wrong.content_type) == ("content", "application/octet-stream")
    again = run("adopt-files", old, "--owner", "Ada")
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 4 already here, 1 skipped"


def test_what_is_not_a_file_is_reported(run, old):
    os.mkfifo(old / "pipe")
    (old / "nowhere").symlink_to(old / "none")
    (old / "folder").symlink_to(old / "survey")
    (old / "survey" / "map.png").write_bytes(PNG)
    done = run("adopt-files", old, "--owner", "Ada")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "folder\tskipped: a link",
        "nowhere\tskipped: a link",
        "pipe\tskipped: not a regular file",
        "survey/map.png\tadopted",
        "1 adopted, 0 to check, 0 already here, 3 skipped",
    ]


def test_of_the_table_of_the_original_too(run, old, tmp_path):
    """The mapping may be a file of the folder, which is not adopted."""
    (old / "key.pdf").write_bytes(PDF)
    os.mkfifo(old / "pipe")
    (old / "linked.pdf").symlink_to(old / "key.pdf")
    rows = [(REPORT, "key.pdf"), ("b.pdf", "linked.pdf")]
    done = run("adopt-files", old, make_mapping(old / "files.db", rows), "--owner", "Ada")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{REPORT}\tadopted",
        "b.pdf\tskipped: a link",
        "pipe\tskipped: not a regular file",
        "1 adopted, 0 to check, 0 already here, 2 skipped",
    ]


def test_two_runs_at_once_store_each_file_once(any_app, people, old):
    for number in range(10):
        (old / f"{number}.pdf").write_bytes(PDF)

    def adopt():
        results = list(adoption.adopt_files(OPERATOR, old, None, people[0]))
        return [result.state for result in results]

    states = at_once(any_app, adopt, adopt)
    for pair in zip(*states, strict=True):
        assert sorted(pair) == [adoption.ADOPTED, adoption.PRESENT]
    assert db.session.scalars(select(File.version)).all() == [1] * 10
    stored = [path for path in files_dir(any_app).rglob("*") if path.is_file()]
    assert len(stored) == 10, "what was not needed is deleted"


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("files", "filename TEXT, save_name TEXT"),
        ("a b", "id INTEGER PRIMARY KEY, who TEXT, stored TEXT, original TEXT, at TEXT"),
    ],
)
def test_the_table_of_the_original_restores_the_names(app, run, old, table, columns):
    stored = [f"{uuid4()}.pdf", f"{uuid4()}.PNG", f"{uuid4()}.pdf"]
    (old / stored[0]).write_bytes(PDF)
    (old / stored[1]).write_bytes(PNG)
    (old / "stray.pdf").write_bytes(PDF)
    mapping = old / "files.db"
    names = [REPORT, "survey/map.PNG", "lost.pdf"]
    with closing(sqlite3.connect(mapping)) as connection, connection:
        connection.execute("CREATE TABLE other (a TEXT, b TEXT)")
        connection.execute("INSERT INTO other VALUES ('x', 'y')")
        connection.execute(f'CREATE TABLE "{table}" ({columns})')
        for name, stored_name in zip(names, stored, strict=True):
            row = (
                (name, stored_name)
                if table == "files"
                else (None, "somebody", stored_name, name, "2020")
            )
            placeholders = ", ".join("?" * len(row))
            connection.execute(f'INSERT INTO "{table}" VALUES ({placeholders})', row)  # noqa: S608
    before = mapping.read_bytes()
    done = run("adopt-files", old, mapping, "--owner", "Ada")
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    assert lines[-1] == "3 adopted, 0 to check, 0 already here, 1 skipped"
    assert f"{REPORT}\tadopted" in lines
    assert any(line.startswith("lost.pdf\tskipped: its file") for line in lines)
    assert "stray.pdf\tadopted" in lines
    assert mapping.read_bytes() == before
    script = Script(app)
    for path in (f"/download/{REPORT}", f"/download/{stored[0]}"):
        response = script.get(path)
        assert response.data == PDF, path
        assert "%E6%8A%A5" in response.headers["Content-Disposition"]
    again = run("adopt-files", old, mapping, "--owner", "Ada")
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 3 already here, 1 skipped"


def make_mapping(path, rows):
    """A table as the original's: original name, stored name."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE files (filename TEXT, save_name TEXT)")
        connection.executemany("INSERT INTO files VALUES (?, ?)", rows)
    return path


def test_every_stored_name_still_works_also_of_equal_files(app, run, old):
    """The same report uploaded twice: two stored names, the same original name and bytes."""
    stored = [f"{uuid4()}.pdf", f"{uuid4()}.pdf"]
    for name in stored:
        (old / name).write_bytes(PDF)
    mapping = make_mapping(old / "files.db", [(REPORT, name) for name in stored])
    done = run("adopt-files", old, mapping, "--owner", "Ada")
    assert done.output.splitlines()[-1] == "2 adopted, 0 to check, 0 already here, 0 skipped"
    script = Script(app)
    for name in stored:
        response = script.get(f"/download/{name}")
        assert (response.status_code, response.data) == (200, PDF)
    again = run("adopt-files", old, mapping, "--owner", "Ada")
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 2 already here, 0 skipped"


def test_an_adopted_file_is_as_old_as_it_was(app, run, old):
    """A file of the same name that was uploaded since is the newest, whoever it is from."""
    script = Script(app, name="林梅")
    script.upload(("plan.txt", b"of today"))
    (old / "plan.txt").write_bytes(b"of 2019")
    os.utime(old / "plan.txt", (1_560_000_000, 1_560_000_000))
    assert run("adopt-files", old, "--owner", "Ada").exit_code == 0
    assert script.get("/files/2").data == b"of 2019"
    assert script.get("/download/plan.txt").data == b"of today"


def test_an_older_file_does_not_replace_a_newer_one(app, run, old):
    """It becomes a version that was replaced, also after removing and restoring."""
    script = Script(app, name="林梅")
    script.upload(("plan.txt", b"of today"))
    (old / "plan.txt").write_bytes(b"of 2019")
    os.utime(old / "plan.txt", (1_560_000_000, 1_560_000_000))
    assert run("adopt-files", old, "--owner", "林梅").output.endswith(
        "1 adopted, 0 to check, 0 already here, 0 skipped\n"
    )
    assert script.get("/files/2").data == b"of 2019"
    assert script.get("/download/plan.txt").data == b"of today"
    for action in ("remove", "restore"):
        assert script.client.post(f"/files/1/{action}", headers=script.headers).status_code == 303
    assert script.get("/download/plan.txt").data == b"of today"
    (old / "plan.txt").write_bytes(b"of tomorrow")
    os.utime(old / "plan.txt", (4_000_000_000, 4_000_000_000))
    run("adopt-files", old, "--owner", "林梅")
    assert script.get("/download/plan.txt").data == b"of tomorrow"


def test_the_default_owner_is_the_first_active_administrator(app, run, old):
    (old / "report.pdf").write_bytes(PDF)
    none = run("adopt-files", old)
    assert none.exit_code == 1
    assert none.output == "Error: There is no administrator. Name a person with --owner.\n"
    with app.app_context():
        first, second, _third = (add_person(name, "admin") for name in ("Grace", "林梅", "Alan"))
        auth.set_active(actor_of(second), first, False)
    done = run("adopt-files", old)
    assert done.output.splitlines() == [
        "The files will belong to 林梅; use --owner for somebody else.",
        "report.pdf\tadopted",
        "1 adopted, 0 to check, 0 already here, 0 skipped",
    ]
    with app.app_context():
        assert queries.find_file(OPERATOR, "report.pdf").owner.name == "林梅"


def test_refusals_are_one_sentence(run, old, tmp_path):
    done = run("adopt-files", old, "--owner", "nobody")
    assert done.exit_code == 1
    assert done.output == "Error: There is nobody named nobody.\n"
    text = tmp_path / "text.db"
    text.write_text("not a database")
    done = run("adopt-files", old, text, "--owner", "Ada")
    assert done.exit_code == 1
    assert "is not a SQLite database" in done.output
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    done = run("adopt-files", old, empty, "--owner", "Ada")
    assert "names files of this folder" in done.output
    assert run("adopt-files", old / "none", "--owner", "Ada").exit_code == 2


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        (b"\xff\xfe.pdf", "%FF%FE.pdf"),
        (b"a\\b.pdf", "a%5Cb.pdf"),
        (b"a\nb.pdf", "a%0Ab.pdf"),
        ("x\u202efdp.pdf".encode(), "x%E2%80%AEfdp.pdf"),
        (b"...", "unnamed"),
    ],
)
def test_a_name_that_the_rules_refuse_is_replaced(app, run, old, name, stored):
    (old / os.fsdecode(name)).write_bytes(PDF)
    done = run("adopt-files", old, "--owner", "Ada")
    assert done.exit_code == 1, done.output
    assert f"\tto check: Stored as {stored}. " in done.output
    assert done.output.splitlines()[-1] == "0 adopted, 1 to check, 0 already here, 0 skipped"
    with app.app_context():
        assert queries.find_file(OPERATOR, stored).flaw == "name"
    again = run("adopt-files", old, "--owner", "Ada")
    assert again.exit_code == 1, "it still has to be checked"
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 1 already here, 0 skipped"


def adopted(app):
    """The paths of the current versions with how many versions there are, and what is flagged."""
    with app.app_context():
        rows = db.session.scalars(select(File).where(File.replaced_at.is_(None))).all()
        return {row.path: row.version for row in rows}, [row.path for row in rows if row.flaw]


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_names_that_are_not_utf_8_are_decoded_together(app, run, old, encoding):
    """Short ones by the evidence of the others; each part of a path for itself."""
    names = ["測試報告.pdf", "東風/地圖.pdf", "報.pdf"]
    for name in names:
        path = old / os.fsdecode(name.encode(encoding))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PDF)
    (old / "地圖").mkdir()
    mixed = old / "地圖" / os.fsdecode(names[0].encode(encoding))
    mixed.write_bytes(PDF)
    done = run("adopt-files", old, "--owner", "Ada")
    assert done.exit_code == 0, done.output
    assert "報.pdf\tadopted" in done.output.splitlines()
    expected = [*names, f"地圖/{names[0]}"]
    assert adopted(app) == (dict.fromkeys(expected, 1), [])
    again = run("adopt-files", old, "--owner", "Ada")
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 4 already here, 0 skipped"


def test_a_name_in_another_encoding_takes_no_others_along(app, run, old):
    known = [("新北京.pdf", "gbk"), ("臺灣.pdf", "big5")]
    for name, encoding in [*known, ("café.pdf", "cp1252"), ("日本語.pdf", "cp932")]:
        (old / os.fsdecode(name.encode(encoding))).write_bytes(PDF)
    done = run("adopt-files", old, "--owner", "Ada")
    assert done.output.splitlines()[-1].startswith("2 adopted, 2 to check,")
    assert {name for name, _encoding in known} < adopted(app)[0].keys()


def test_names_that_become_the_same_text_are_different_files(app, run, old):
    """The same name in two encodings, and composed and decomposed."""
    names = [
        "报告.pdf".encode(), "报告.pdf".encode("gbk"),
        "\u00e9.pdf".encode(), "e\u0301.pdf".encode(), b"e%CC%81.pdf",
    ]  # fmt: skip
    for number, name in enumerate(names):
        (old / os.fsdecode(name)).write_bytes(PDF + b"%d" % number)
    assert run("adopt-files", old, "--owner", "Ada").exit_code == 0
    paths = [
        "报告.pdf",
        "报告 (2).pdf",
        "\u00e9.pdf",
        "\u00e9 (2).pdf",
        "e%CC%81.pdf",
    ]
    assert adopted(app) == (dict.fromkeys(paths, 1), [])
    again = run("adopt-files", old, "--owner", "Ada")
    assert again.output.splitlines()[-1] == "0 adopted, 0 to check, 5 already here, 0 skipped"


def test_names_in_the_table_of_the_original_are_decoded_too(app, run, old):
    stored = [f"{uuid4()}.pdf", f"{uuid4()}.pdf"]
    for name in stored:
        (old / name).write_bytes(PDF)
    mapping = make_mapping(old / "files.db", [])
    with closing(sqlite3.connect(mapping)) as connection, connection:
        names = "测试报告.pdf", "地图.pdf"
        insert = "INSERT INTO files VALUES (CAST(? AS TEXT), ?)"
        connection.executemany(
            insert, [(name.encode("gbk"), key) for name, key in zip(names, stored, strict=True)]
        )
    done = run("adopt-files", old, mapping, "--owner", "Ada")
    assert done.exit_code == 0, done.output
    assert adopted(app) == (dict.fromkeys(names, 1), [])


def test_a_storage_folder_that_cannot_be_used_ends_the_command(app, run, old):
    (old / "a.pdf").write_bytes(PDF)
    files_dir(app).parent.mkdir(exist_ok=True)
    files_dir(app).write_text("in place of the folder")
    done = run("adopt-files", old, "--owner", "Ada")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("Error: Nothing was saved.")


def test_files_to_check_are_a_filter_of_the_list(app, run, old, as_role):
    (old / "good.pdf").write_bytes(PDF)
    (old / "wrong.png").write_bytes(PDF)
    run("adopt-files", old, "--owner", "Ada")
    viewer = as_role("viewer")
    page = Page(viewer.get("/files"))
    assert len(page.all("tbody tr")) == 2
    (link,) = page.all("tbody a:lexbor-contains('To check')")
    page = Page(viewer.get(link["href"]))
    assert [row.split()[0] for row in page.texts("tbody .main")] == ["wrong.png"]
    assert page.text(".chips").endswith("To check")


def test_a_file_above_the_limit_and_of_another_type_is_taken_over(make_app, old):
    app = make_app(commands=True, UPLOAD_MAX_MB="1", UPLOAD_EXTENSIONS="pdf")
    with app.app_context():
        add_person("Ada", "editor")
        (old / "large.pdf").write_bytes(PDF + bytes(1 << 20))
        (old / "setup.exe").write_bytes(b"MZ")
        done = run_command(app, "adopt-files", old, "--owner", "Ada")
        assert done.exit_code == 1
        assert done.output.splitlines()[-1] == "0 adopted, 2 to check, 0 already here, 0 skipped"
        assert queries.find_file(OPERATOR, "large.pdf").flaw == "size"
        assert queries.find_file(OPERATOR, "setup.exe").flaw == "content"


def test_purging_says_how_many(run):
    done = run("purge-files")
    assert done.output == "Deleted files: 0 removed, 0 orphaned.\n"
