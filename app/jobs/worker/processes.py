"""The names of processes that do jobs, by which the clock of their host sees that one has died."""

import os
import socket
from functools import cache
from pathlib import Path


@cache
def host_name() -> str:
    """This host since it was started, with the container that gives our process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    return f"{socket.gethostname()[:150]}/{boot}-{namespace}"


def own_name() -> str:
    """This process: host, process id, when it was started."""
    return f"{host_name()}:{os.getpid()}:{start_of(os.getpid())}"


def start_of(pid: int) -> str:
    """When a process was started, in ticks since the boot; empty if there is none."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in ("Z", "X") else words[19]


def has_died(name: str) -> bool:
    """True for a process of this host that does not run any more; of other hosts nothing is
    known."""
    host, _colon, process = name.partition(":")
    pid, _colon, start = process.partition(":")
    return host == host_name() and start_of(int(pid or 0)) != start


def short_name(name: str) -> str:
    """What people see of it: host and process id."""
    host, _colon, process = name.partition(":")
    return f"{host.partition('/')[0]}:{process.partition(':')[0]}"
