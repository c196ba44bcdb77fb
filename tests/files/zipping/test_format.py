"""The zip format, read back by Python's zipfile, from its beginning alone, and by unzip and Java
where they are installed."""

import io
import shutil
import subprocess
import zipfile
import zlib
from datetime import UTC, datetime

import pytest

from app.files.zipping import format as zip_format
from app.files.zipping.format import BrokenArchive, ZipEntry, length_of, write_zip

MOMENT = datetime(2026, 6, 14, 8, 30, 44, tzinfo=UTC)
CONTENTS = {
    "survey/": b"",
    "survey/empty.txt": b"",
    "survey/报告 (终稿).pdf": b"%PDF-1.4\n" * 1000,
    "🗺.bin": bytes(range(256)) * 999,
}


def entry(name, size, local=MOMENT):
    return ZipEntry(name.encode(), size, MOMENT, local, name)


ENTRIES = [entry(name, len(data)) for name, data in CONTENTS.items()]


def read(one):
    data = CONTENTS[one.source]
    return (data[start : start + 1000] for start in range(0, len(data), 1000))


def check(archive):
    """All of it is as it was written."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert found.namelist() == list(CONTENTS)
        assert found.testzip() is None
        for info in found.infolist():
            assert found.read(info) == CONTENTS[info.filename]
            method = zipfile.ZIP_DEFLATED if info.file_size else zipfile.ZIP_STORED
            assert info.compress_type == method
            assert info.date_time == (2026, 6, 14, 8, 30, 44)
            assert oct(info.external_attr >> 16) == ("0o40755" if info.is_dir() else "0o100644")


def test_what_was_written_is_read_back():
    archive = b"".join(write_zip(ENTRIES, read))
    assert len(archive) == length_of(ENTRIES)
    check(archive)
    assert zip_format.LOCATOR.pack(b"PK\x06\x07", 0, 0, 0)[:4] not in archive


def read_forwards(archive):
    """The files of an archive by what comes before and after each, without its directory."""
    place = 0
    while archive[place : place + 4] == b"PK\x03\x04":
        header = zip_format.LOCAL.unpack_from(archive, place)
        flags, method = header[2:4]
        name_length, extra_length = header[-2:]
        place += zip_format.LOCAL.size
        name = archive[place : place + name_length].decode()
        place += name_length + extra_length
        data = b""
        if flags & zip_format.WITH_DESCRIPTOR:
            assert method == zip_format.DEFLATED, "no end can be found"
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            data = unpacker.decompress(archive[place:])
            packed = len(archive) - place - len(unpacker.unused_data)
            place += packed
            expected = (b"PK\x07\x08", zlib.crc32(data), packed, len(data))
            assert zip_format.DESCRIPTOR.unpack_from(archive, place) == expected
            place += zip_format.DESCRIPTOR.size
        yield name, data


def test_it_can_be_read_from_its_beginning():
    assert dict(read_forwards(b"".join(write_zip(ENTRIES, read)))) == CONTENTS


@pytest.mark.parametrize("size", [1, 32767, 32768, 32769, 65536, 100_000])
@pytest.mark.parametrize("piece", [7777, 32768, 65536])
def test_blocks_do_not_depend_on_the_pieces(size, piece):
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    pieces = [data[start : start + piece] for start in range(0, size, piece)]
    one = entry("a", size)
    archive = b"".join(write_zip([one], lambda _one: pieces))
    assert len(archive) == length_of([one])
    assert dict(read_forwards(archive)) == {"a": data}


def test_what_does_not_fit_into_32_bits_is_zip64(monkeypatch):
    monkeypatch.setattr(zip_format, "MOST_32", 5000)
    monkeypatch.setattr(zip_format, "MOST_16", 3)
    archive = b"".join(write_zip(ENTRIES, read))
    assert len(archive) == length_of(ENTRIES)
    # A reader looks for the number that says "see the long fields"; here it was another one.
    assert archive.count(b"PK\x06\x06") == archive.count(b"PK\x06\x07") == 1
    assert archive.count((5000).to_bytes(4, "little")) >= 3


def test_a_large_file_has_the_length_that_was_announced():
    """5 GiB in sparse blocks; only the directory at the end is looked at."""
    size, block = 5 << 30, bytes(1 << 24)
    large = [entry("a.bin", 1), entry("big.bin", size), entry("z.txt", 3)]
    zeros = {1: [b"a"], 3: [b"end"]}
    length, tail = 0, b""
    for piece in write_zip(large, lambda one: zeros.get(one.size) or (block for _ in range(320))):
        length += len(piece)
        tail = (tail + piece)[-5000:] if len(piece) < 5000 else piece[-5000:]
    assert length == length_of(large)
    end = tail[tail.index(b"PK\x01\x02") :]
    directory = io.BytesIO(b"\0" * 10 + end)
    assert directory.getvalue().count(b"PK\x01\x02") == 3
    assert size.to_bytes(8, "little") in end
    assert b"PK\x06\x06" in end


def test_times_that_dos_does_not_know_are_the_nearest():
    old, late = (entry("a", 0, datetime(year, 3, 4, 5, 6, 7)) for year in (1960, 2200))  # noqa: DTZ001
    assert old.dos_time[1] >> 9 == 0
    assert late.dos_time[1] >> 9 == 127


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 100])
def test_a_file_of_another_length_breaks_the_archive(data):
    with pytest.raises(BrokenArchive):
        list(write_zip([entry("a", 7)], lambda _one: [data]))


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_extracts_it(tmp_path):
    (tmp_path / "all.zip").write_bytes(b"".join(write_zip(ENTRIES, read)))
    subprocess.run(["unzip", "-tq", "all.zip"], cwd=tmp_path, check=True)
    subprocess.run(["unzip", "-q", "all.zip"], cwd=tmp_path, check=True, env={"LANG": "C.UTF-8"})
    for name, data in CONTENTS.items():
        path = tmp_path / name
        assert path.is_dir() if name.endswith("/") else path.read_bytes() == data
    assert (tmp_path / "survey/empty.txt").stat().st_mtime == MOMENT.timestamp()


@pytest.mark.skipif(shutil.which("jar") is None, reason="Java is not installed")
def test_java_extracts_it_while_it_reads(tmp_path):
    """From its standard input, of which it cannot read the end first."""
    archive = b"".join(write_zip(ENTRIES, read))
    subprocess.run(["jar", "x"], input=archive, cwd=tmp_path, check=True, env={"LC_ALL": "C.UTF-8"})
    for name, data in CONTENTS.items():
        path = tmp_path / name
        assert path.is_dir() if name.endswith("/") else path.read_bytes() == data
