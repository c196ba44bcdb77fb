"""The program `redis` of supervisor.conf: a private Redis on a unix socket, if one is needed.

It writes an append-only file, so that sessions survive a restart. When memory is short it refuses
writes and logs that, rather than evicting data, which would end sessions.
"""

import os
import shutil
import sys
import time
from pathlib import Path

from app.config import SettingError, Settings, redis_socket

PROGRAMS = ("redis-server", "valkey-server")
# To supervisor a program that exits within two seconds has failed (startsecs).
LONGER_THAN_STARTSECS = 3


def command(program: str, settings: Settings) -> list[str]:
    """The server's command line; its data is in the instance folder."""
    return [
        program,
        "--port", "0",  # no network, only the socket
        "--unixsocket", str(redis_socket(settings.instance)),
        "--unixsocketperm", "700",
        "--dir", str(settings.instance / "redis"),
        "--appendonly", "yes",
        "--appendfsync", "everysec",
        "--save", "",  # no snapshots beside the append-only file
        "--maxmemory-policy", "noeviction",
        "--daemonize", "no",
    ]  # fmt: skip


def private_folder(path: Path) -> None:
    """Create a folder that only we can read. In the system's temporary folder another account may
    have created it first."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or path.is_symlink():
        sys.exit(f"{path} belongs to another account; remove it.")
    path.chmod(0o700)


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
    private_folder(settings.instance / "redis")
    private_folder(redis_socket(settings.instance).parent)
    os.execv(program, command(program, settings))  # noqa: S606 - a list of our own, no shell


if __name__ == "__main__":
    main()
