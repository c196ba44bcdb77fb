"""Backups that were cut short, altered, or made by somebody who wants to do harm."""

import hashlib
import io
import json
import random
import tarfile

import pytest

from app.backups import services
from app.backups.archive.manifest import FORMAT, PLACE, BadBackup, digest, load
from app.backups.archive.reading import Receiver, read_archive
from app.backups.archive.writing import HEADER
from app.backups.databases.content import Compressed
from app.backups.databases.sql import RowCounter, statements
from app.errors import NotFound
from tests.backups.contents import fill
from tests.backups.test_creating import ignore
from tests.factories import OPERATOR


@pytest.fixture
def made(app):
    with app.app_context():
        fill(large=30_000)
        yield services.create_backup(OPERATOR)


def refusal(path):
    """Why a backup is refused."""
    with pytest.raises(BadBackup) as caught:
        read_archive(path, Receiver(), ignore)
    return caught.value.message


def test_a_backup_cut_short_anywhere_is_refused(made):
    whole = made.path.read_bytes()
    places = [0, 1, HEADER, HEADER + PLACE, len(whole) - 1, len(whole) - HEADER]
    for length in [*places, *random.Random(1).sample(range(len(whole)), 20)]:
        made.path.write_bytes(whole[:length])
        assert "cut short" in refusal(made.path), length


def content_places(path):
    """Where the content of each member begins, by its name, and its size."""
    with tarfile.open(path) as archive:
        return {member.name: (member.offset_data, member.size) for member in archive}


def test_a_changed_byte_of_any_member_is_noticed(made):
    whole = made.path.read_bytes()
    for name, (start, size) in content_places(made.path).items():
        if not size:
            continue
        place = start + min(size - 1, 5)
        made.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        message = refusal(made.path)
        assert "altered" in message, name
        if name.startswith("files/"):
            assert name in message


def test_any_changed_byte_outside_of_dates_and_rights_is_noticed(made):
    whole = made.path.read_bytes()
    spared = set()
    for start, _size in content_places(made.path).values():
        head = start - HEADER
        spared |= set(range(head + 100, head + 124)) | set(range(head + 136, head + 148))
        spared |= set(range(head + 265, head + 345))
    for place in random.Random(2).sample(sorted(set(range(len(whole))) - spared), 150):
        made.path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(BadBackup):
            read_archive(made.path, Receiver(), ignore)


def members(path):
    """The members as (info, content)."""
    with tarfile.open(path) as archive:
        return [(info, archive.extractfile(info).read()) for info in archive]


def write(path, found):
    """An archive of members, as another program would write it."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for info, content in found:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    text = path.read_bytes()
    end = len(text.rstrip(b"\0")) + HEADER - 1
    path.write_bytes(text[: end - end % HEADER] + bytes(2 * HEADER))


def plain(name):
    return tarfile.TarInfo(name)


def of_type(kind, target=""):
    info = tarfile.TarInfo("files/aa/" + "a" * 32)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "hostile",
    [
        plain("../../etc/cron.d/evil"),
        plain("/etc/passwd"),
        plain("files/aa/../../../evil"),
        plain("files/ab/" + "a" * 32),
        plain("files/aa/" + "a" * 32 + ".tar.gz/x"),
        plain("x" * 50),
        of_type(tarfile.SYMTYPE, "/etc/passwd"),
        of_type(tarfile.LNKTYPE, "manifest.json"),
        of_type(tarfile.CHRTYPE),
        of_type(tarfile.FIFOTYPE),
        of_type(tarfile.DIRTYPE),
    ],
    ids=lambda info: f"{info.type.decode()}-{info.name[:12]}",
)
def test_what_does_not_belong_in_a_backup_is_refused(made, hostile):
    found = members(made.path)
    for place in (0, 3, len(found) - 1, len(found)):
        write(made.path, [*found[:place], (hostile, b"x"), *found[place:]])
        message = refusal(made.path)
        assert "does not belong" in message or "after its end" in message


def test_members_in_another_order_or_missing_are_refused(made):
    found = members(made.path)
    for place in range(len(found)):
        write(made.path, [*found[:place], *found[place + 1 :]])
        refusal(made.path)
    write(made.path, found)
    read_archive(made.path, Receiver(), ignore)  # the helper writes backups that can be read
    found[3], found[4] = found[4], found[3]
    write(made.path, found)
    refusal(made.path)


def with_manifest(path, **changed):
    """Change the manifest and its digest."""
    found = members(path)
    values = json.loads(found[0][1])
    values.update(changed)
    values["digest"] = digest(values)
    found[0] = (found[0][0], json.dumps(values).encode().ljust(PLACE))
    write(path, found)


def test_a_backup_of_a_newer_release_is_refused_in_words(made):
    with_manifest(made.path, format=FORMAT + 1, news=[1])
    assert "newer release" in refusal(made.path)
    assert services.list_backups(OPERATOR)[0].problem == refusal(made.path)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"format": 1}', b'{"format": "x"}'])
def test_a_manifest_that_is_none_is_refused(text):
    with pytest.raises(BadBackup):
        load(text)


def test_a_dump_that_becomes_larger_than_it_was_is_stopped(made):
    """Gzip makes a thousand times as much of it."""
    found = members(made.path)
    bomb = b"".join(Compressed([bytes(1 << 20)] * 50))
    assert len(bomb) < 1_000_000
    found[1] = (found[1][0], bomb)
    write(made.path, found)
    packed = {"bytes": len(bomb), "sha256": hashlib.sha256(bomb).hexdigest()}
    values = json.loads(found[0][1])
    with_manifest(made.path, database={**values["database"], "packed": packed})
    taken = []

    class Counting(Receiver):
        def take_database(self, manifest, blocks):
            taken.extend(len(block) for block in blocks)

    with pytest.raises(BadBackup, match="dump of the database was altered"):
        read_archive(made.path, Counting(), ignore)
    assert sum(taken) <= made.manifest.database.content.bytes


def test_verify_names_the_backup_and_its_counts(made, flask):
    done = flask("backup", "verify")
    assert done.exit_code == 0, done.output
    assert f"{made.name} is complete and unaltered" in done.output
    assert "4 files" in done.output
    with made.path.open("r+b") as file:
        file.truncate(made.bytes - 5000)
    done = flask("backup", "verify", made.name)
    assert (done.exit_code, done.output) == (1, "Error: This backup is cut short.\n")


def test_a_backup_that_does_not_exist_is_named(app, flask):
    done = flask("backup", "verify")
    assert (done.exit_code, "There are no backups in" in done.output) == (1, True)
    with app.app_context(), pytest.raises(NotFound, match="no backup other"):
        services.verify_backup(OPERATOR, "other.tar")


def test_create_and_list_say_what_there_is(flask):
    done = flask("backup", "list")
    assert done.exit_code == 0
    assert "There are no backups in" in done.output
    done = flask("backup", "create")
    assert done.exit_code == 0, done.output
    assert "0 files" in done.output
    assert "Not included: SECRET_KEY" in done.output
    listed = flask("backup", "list").output
    assert listed.startswith("gazetteer-")
    assert "tables, 0 files of 0 B" in listed


CREATE = b"/*!40101 SET x */;\nCREATE TABLE `city` (\n  `id` int\n) ENGINE=InnoDB;\n"
INSERT = b"INSERT INTO `city` (`id`, `name`) VALUES\n"


@pytest.mark.parametrize(
    "statement",
    [
        b"DROP TABLE `person`;\n",
        b"GRANT ALL ON *.* TO x;\n",
        b"\\! touch /tmp/x\n;\n",
        b"system touch /tmp/x;\n",
        b"INSERT INTO `city` (`id`) SELECT id FROM mysql.user;\n",
        b"INSERT INTO `city` (`id`) VALUES (LOAD_FILE('/etc/passwd'));\n",
        b"INSERT INTO `city` (`id`) VALUES ((SELECT 1));\n",
        b"INSERT INTO `city` (`id`) VALUES (1) ON DUPLICATE KEY UPDATE id = 2;\n",
        b"INSERT INTO `mysql`.`user` (`id`) VALUES (1);\n",
        b"INSERT INTO `city` (`id`) VALUES (1); DROP TABLE person;\n",
        b"INSERT INTO `city` (`id`) VALUES ('a\\');\n",
        b"INSERT INTO `city` (`id`) VALUES (1)",
    ],
)
def test_a_dump_has_nothing_but_tables_and_their_values(statement):
    assert len(list(statements([CREATE]))) == 1
    with pytest.raises(BadBackup, match=r"not expected|incomplete"):
        list(statements([CREATE, statement]))


def test_rows_are_counted_whatever_their_text_and_however_they_are_cut():
    rows = [b"(1,'a')", rb"(2,'it\'s; (3,\'x\'),\n(4')", b"(-5,NULL)", b"(6,0x00FF)", b"(7,'''')"]
    text = CREATE + b"\n-- a comment\n" + INSERT + b",\n".join(rows) + b";\n"
    for size in (1, 7, len(text)):
        blocks = [text[at : at + size] for at in range(0, len(text), size)]
        taken = []
        counter = RowCounter({"city": taken.append})
        for statement in statements(blocks):
            counter.count(statement)
        assert counter.tables == {"city": 5}
        assert counter.hashes == {"city": hashlib.sha256(b"".join(rows)).hexdigest()}
        assert [row["id"] for row in taken] == ["1", "2", "-5", "6", "7"]
