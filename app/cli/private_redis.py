"""The program `redis` of supervisor.conf: a private Redis on a unix socket, if one is needed.

It writes an append-only file, so that sessions survive a restart, and has a memory limit. When that
is reached it deletes what would expire first: cached texts live for seconds, sessions for hours,
and what must stay has no expiry.

Only one server uses the folder at a time: it holds a lock that it passes on to the server.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from app.cli.processes import CannotStart, answers
from app.config import SettingError, Settings, redis_socket

PROGRAMS = ("redis-server", "valkey-server")
# To supervisor a program that exits within five seconds has failed (startsecs).
LONGER_THAN_STARTSECS = 6
PATIENCE_SECONDS = 5
# Where Redis has its append-only file.
APPEND_ONLY = "appendonlydir"
DAMAGED_RETAINED = 3
# What Redis says before it exits because it cannot use that file, which it would say at every start
# from then on. Not among them: an end that is missing, which it drops; errors of the disk.
DAMAGE = re.compile(
    "Bad file format reading the append only file"
    "|Unexpected end of file reading the append only file"
    "|Unknown command .* reading the append only file"
    "|FATAL AOF MANIFEST FILE ERROR"
    "|Unable to obtain the AOF file .* No such file"
    "|Internal error in RDB"
    "|Wrong RDB checksum"
    "|Wrong signature"
    "|Can't handle RDB format"
)
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)


def command(program: str, settings: Settings, path: Path | None = None) -> list[str]:
    """The server's command line; its data is in the instance folder."""
    return [
        program,
        "--port", "0",  # no network, only the socket
        "--unixsocket", str(path or redis_socket(settings.instance)),
        "--unixsocketperm", "700",
        "--dir", str(folder_of(settings)),
        "--appendonly", "yes",
        "--appendfsync", "everysec",
        "--save", "",  # no snapshots beside the append-only file
        "--maxmemory", f"{settings.redis_maxmemory_mb}mb",
        "--maxmemory-policy", "volatile-ttl",
        # Of so many keys at a time the one that expires first is deleted. With the default of 5,
        # sessions are often among them.
        "--maxmemory-samples", "64",
        "--daemonize", "no",
    ]  # fmt: skip


def folder_of(settings: Settings) -> Path:
    """Where the private Redis has its data."""
    return settings.instance / "redis"


def private_folder(path: Path) -> None:
    """Create a folder that only we can read. In the system's temporary folder another account may
    have created it first."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or path.is_symlink():
        sys.exit(f"{path} belongs to another account; remove it.")
    path.chmod(0o700)


def lock_folder(settings: Settings, wait: bool) -> int | None:
    """Take the lock on the folder: its descriptor, or None if another server has it and we do not
    `wait`. Programs that this process starts or becomes inherit it."""
    descriptor = os.open(folder_of(settings) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if not wait:
            os.close(descriptor)
            return None
        print(f"Another Redis is using {folder_of(settings)}; waiting for its end.", flush=True)  # noqa: T201
        stop_orphan(settings)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()} {os.getppid()}".encode())
    os.set_inheritable(descriptor, True)
    return descriptor


def stop_orphan(settings: Settings) -> None:
    """Stop the server that has the lock, if the supervisor that started it is gone: nobody manages
    it any more, and it writes its data before it ends."""
    words = (folder_of(settings) / "lock").read_text().split()
    server = running_programs(settings).get("Redis")
    if server and len(words) == 2 and not Path("/proc", words[1]).exists():
        os.kill(int(server), signal.SIGTERM)


def running_programs(settings: Settings) -> dict[str, str]:
    """The process ids of gunicorn and Redis, as far as they run and have written them."""
    found = {}
    for name, path, argument in (
        ("gunicorn", settings.instance / "gunicorn.pid", b"gunicorn.conf.py"),
        ("Redis", folder_of(settings) / "lock", os.fsencode(redis_socket(settings.instance))),
    ):
        with suppress(OSError, IndexError):
            number = path.read_text().split()[0]
            if number.isdecimal() and argument in Path("/proc", number, "cmdline").read_bytes():
                found[name] = number
    return found


def is_in_use(settings: Settings) -> bool:
    """True if a server is using the folder, also one of an earlier release, which has no lock."""
    if answers(redis_socket(settings.instance)):
        return True
    if not folder_of(settings).exists():
        return False
    descriptor = lock_folder(settings, wait=False)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def check_not_running(settings: Settings) -> None:
    """Raise CannotStart if a private Redis of this instance folder is running: whatever started it
    would go on using it. One that was killed may have left a child that ends in some seconds."""
    for _second in range(PATIENCE_SECONDS):
        if not settings.private_redis or not is_in_use(settings):
            return
        time.sleep(1)
    programs = running_programs(settings)
    names = " and ".join(f"{name} (process {number})" for name, number in programs.items())
    advice = f"; if that has ended, run: kill {' '.join(programs.values())}" if programs else "."
    raise CannotStart(
        f"Still running in {settings.instance}: {names or 'Redis'}. Stop what started it{advice}"
    )


def is_damaged(program: str, settings: Settings) -> bool:
    """True if the server cannot read its append-only file: it is started once on another socket and
    stopped as soon as it has read it."""
    if not (folder_of(settings) / APPEND_ONLY).exists():
        return False
    words = command(program, settings, redis_socket(settings.instance).with_name("check.sock"))
    output = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout or ():
            output.append(line)
            if "eady to accept connections" in line:
                process.terminate()
                output.clear()
                break
        process.communicate()
    crashed = -process.returncode in CRASHES
    return crashed or bool(DAMAGE.search("".join(output)))


def set_aside(settings: Settings) -> None:
    """Rename the append-only file, so that the server starts empty: everybody has to sign in again.
    The last few are retained."""
    folder = folder_of(settings)
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%f")
    target = folder / f"{APPEND_ONLY}.damaged-{when}"
    (folder / APPEND_ONLY).rename(target)
    print(f"The append-only file was damaged; it is now {target}, and Redis starts empty.")  # noqa: T201
    for old in sorted(folder.glob(f"{APPEND_ONLY}.damaged-*"))[:-DAMAGED_RETAINED]:
        shutil.rmtree(old)


def main() -> None:
    """Become the Redis server, or exit with status 0 after a while if REDIS_URL names another."""
    try:
        settings = Settings.load()
    except SettingError as error:
        sys.exit(str(error))
    if not settings.private_redis:
        print("REDIS_URL names a Redis server; no private one is started.")  # noqa: T201
        time.sleep(LONGER_THAN_STARTSECS)
        return
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit("Neither redis-server nor valkey-server is installed.")
    private_folder(folder_of(settings))
    private_folder(redis_socket(settings.instance).parent)
    path = redis_socket(settings.instance)
    if path.exists() and not path.is_socket():
        sys.exit(f"{path} is not a socket; remove it.")
    lock_folder(settings, wait=True)
    while answers(path):  # one of an earlier release, without a lock
        time.sleep(1)
    if is_damaged(program, settings):
        set_aside(settings)
    sys.stdout.flush()
    os.execv(program, command(program, settings))  # noqa: S606 - a list of our own, no shell


if __name__ == "__main__":
    main()
