"""Bytes in and out, without a database."""

import hashlib
import os
import random
import re
import resource
import subprocess
import sys
import time
import tracemalloc

import pytest

from app.config import ROOT
from app.errors import TooLarge
from app.files.preview import strays
from app.files.storage import folder
from app.files.storage.folder import Incoming
from tests.files.helpers import on_disk

GB = 1_000_000_000


def test_stored_bytes_are_complete_under_a_name_of_ours(tmp_path):
    incoming = Incoming(tmp_path, 100)
    incoming.write(b"river ")
    incoming.write(b"harbour")
    assert [path.suffix for path in on_disk(tmp_path)] == [".part"]
    name = folder.store_together([(incoming, "txt")])[0]
    assert re.fullmatch(r"[0-9a-f]{32}\.txt", name)
    path = folder.path_of(tmp_path, name)
    assert path.read_bytes() == b"river harbour"
    assert path.parent.name == name[:2]
    assert incoming.size == 13
    assert incoming.sha256 == hashlib.sha256(b"river harbour").hexdigest()
    incoming.discard()
    assert on_disk(tmp_path) == [path]
    assert not path.stat().st_mode & 0o111, "nobody may execute it"


def test_200_megabytes_pass_in_constant_memory(tmp_path):
    incoming = Incoming(tmp_path, GB)
    block = os.urandom(65536)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    for _ in range(3200):
        incoming.write(block)
    name = folder.store_together([(incoming, "txt")])[0]
    digest = hashlib.sha256()
    for part in folder.read_blocks(folder.path_of(tmp_path, name)):
        digest.update(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert incoming.size == 3200 * 65536
    assert digest.hexdigest() == incoming.sha256
    assert peak < 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # in kB


def test_a_file_that_is_too_large_is_discarded(tmp_path):
    incoming = Incoming(tmp_path, 10)
    incoming.write(b"0123456789")
    assert incoming.problem is None
    incoming.write(b"x")
    incoming.write(b"much more")
    assert isinstance(incoming.problem, TooLarge)
    assert on_disk(tmp_path) == []


# Prints the kind of problem of a file, of which the disk takes only the first 100 kB.
FILL = """
import resource, signal, sys
from pathlib import Path
from app.files.storage.folder import Incoming
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
incoming = Incoming(Path(sys.argv[1]), 10**9)
incoming.write(b"x" * int(sys.argv[2]))
incoming.write(b"x" * int(sys.argv[2]))
incoming.finish()
print(type(incoming.problem).__name__)
"""
# Prints the digest of a file whose blocks are small and large in turn.
BLOCKS = """
import random, sys
from pathlib import Path
from app.files.storage.folder import Incoming
incoming = Incoming(Path(sys.argv[1]), 10**9)
for seed in range(20):
    incoming.write(random.Random(seed).randbytes(1_000_000 if seed % 3 else 10_000))
incoming.finish()
print(incoming.sha256)
"""
# In a web process large blocks are written in a thread.
IN_WEB = "from gevent import monkey\nmonkey.patch_all()\n"
SERVERS = pytest.mark.parametrize("server", ["", IN_WEB], ids=["command", "web"])


def run(program, *words):
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or done.stderr


@SERVERS
@pytest.mark.parametrize("block", [65_536, 1 << 20])
def test_a_disk_that_fills_up_midway_leaves_nothing(tmp_path, server, block):
    assert run(server + FILL, tmp_path, block) == "NoSpace"
    assert on_disk(tmp_path) == []


@SERVERS
def test_blocks_of_any_size_are_in_the_file_in_their_order(tmp_path, server):
    digest = run(server + BLOCKS, tmp_path)
    (path,) = on_disk(tmp_path)
    sizes = [1_000_000 if seed % 3 else 10_000 for seed in range(20)]
    sent = b"".join(random.Random(seed).randbytes(size) for seed, size in enumerate(sizes))
    assert path.read_bytes() == sent
    assert digest == hashlib.sha256(sent).hexdigest()


KILLED = """
import signal, sys
from pathlib import Path
from app.files.storage.folder import Incoming
incoming = Incoming(Path(sys.argv[1]), 10**9)
incoming.write(b"x" * 65536)
print("written", flush=True)
signal.pause()
"""


def test_a_killed_process_leaves_only_a_part_that_is_cleared_away_later(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "written\n"
        process.kill()
        process.wait()
    (part,) = on_disk(tmp_path)
    assert part.suffix == ".part"
    assert list(folder.stored_before(tmp_path, time.time() + 10)) == []
    assert folder.remove_leftovers(tmp_path) == 0, "somebody may still be writing to it"
    old = time.time() - folder.LEFTOVER_SECONDS - 1
    os.utime(part, (old, old))
    assert folder.remove_leftovers(tmp_path) == 1
    assert on_disk(tmp_path) == []


def test_discarded_leaves_nothing(tmp_path):
    incoming = Incoming(tmp_path, 100)
    incoming.write(b"x")
    incoming.discard()
    incoming.discard()
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "ab/../x", "", "x" * 32, "a" * 32 + "./x"])
def test_an_invalid_stored_name_has_no_path(tmp_path, name):
    with pytest.raises(ValueError, match="not a stored name"):
        folder.path_of(tmp_path, name)


def test_stored_names_have_only_plain_extensions(tmp_path):
    for extension in ("../x", "文", "", "tar.gz", "x" * 17):
        incoming = Incoming(tmp_path, 10)
        assert re.fullmatch(r"[0-9a-f]{32}", folder.store_together([(incoming, extension)])[0])


def test_part_of_a_file_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 1000)
    data = path.read_bytes()
    assert b"".join(folder.read_blocks(path)) == data
    assert b"".join(folder.read_blocks(path, 100, 70_000)) == data[100:70_000]
    assert b"".join(folder.read_blocks(path, 255_999)) == data[-1:]


@pytest.fixture
def stored(tmp_path):
    """The stored name of a file."""
    incoming = Incoming(tmp_path, 100)
    incoming.write(b"river")
    return folder.store_together([(incoming, "txt")])[0]


def test_a_second_name_outlives_the_first(tmp_path, stored):
    os.utime(folder.path_of(tmp_path, stored), (0, 0))
    name = folder.link_stored(tmp_path, stored)
    assert re.fullmatch(r"[0-9a-f]{32}\.txt", name)
    assert name != stored
    # Between its link and its row it is not taken for an orphan.
    assert list(folder.stored_before(tmp_path, time.time() - 60)) == []
    folder.remove_stored(tmp_path, stored)
    assert folder.path_of(tmp_path, name).read_bytes() == b"river"


def test_other_errors_of_a_link_are_raised(tmp_path, stored):
    folder.remove_stored(tmp_path, stored)
    with pytest.raises(FileNotFoundError):
        folder.link_stored(tmp_path, stored)


def add_preview(tmp_path, name, part):
    path = folder.preview_path(tmp_path, name, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def remove_strays(tmp_path, monkeypatch):
    """What the housekeeping of four hours deletes, in each of them."""
    hours = range(0, 4 * 3600, 3600)
    counts = []
    for hour in hours:
        moment = time.time() // (4 * 3600) * (4 * 3600) + hour
        monkeypatch.setattr(folder.time, "time", lambda moment=moment: moment)
        counts.append(strays.remove_strays(tmp_path, "2"))
        monkeypatch.undo()
    return counts


def test_previews_without_their_file_are_deleted(tmp_path, stored, monkeypatch):
    gone = [f"{digit}{'0' * 31}.png" for digit in "0123456789abcdef"]
    for name in (stored, *gone):
        for part in ("64-1", "64-2", "1200-2", "problem-2"):
            add_preview(tmp_path, name, part)
    other = tmp_path / "previews" / "64-2" / "00" / "notes.txt"
    other.write_bytes(b"not ours")
    assert remove_strays(tmp_path, monkeypatch) == [16, 16, 16, 16]
    left = {path.name for path in on_disk(tmp_path / "previews")}
    assert left == {stored, "notes.txt"}
    # Of this version the folders stay: a preview may be about to be stored there.
    places = {path.name for path in (tmp_path / "previews").glob("1200-2/*")}
    assert places == {name[:2] for name in (stored, *gone)}
    assert not (tmp_path / "previews" / "64-1" / "00").exists()


def test_previews_of_another_version_are_deleted_after_a_day(tmp_path, stored, monkeypatch):
    now = time.time()
    for part in ("64", "64-1", "64-2"):
        os.utime(add_preview(tmp_path, stored, part), (now - 2 * 24 * 3600,) * 2)
    fresh = add_preview(tmp_path, stored, "checked-1")
    assert sum(remove_strays(tmp_path, monkeypatch)) == 2
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == ["64-2", "checked-1"]
    assert fresh.exists()
    folder.remove_stored(tmp_path, stored)
    assert on_disk(tmp_path / "previews") == []
