"""Processor time and memory of processes, and how busy the machine is, from /proc."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests import servers

TICKS = os.sysconf("SC_CLK_TCK")
# A server is idle if it uses less than this share of a processor between two looks.
IDLE, LOOK_SECONDS, SETTLE_SECONDS = 0.2, 0.1, 5


def processor_seconds(pids: Iterable[int]) -> float:
    """The processor time of processes and of their children that have ended."""
    ticks = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        # Behind the name, which may contain anything: utime, stime, cutime and cstime.
        ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
    return ticks / TICKS


def with_descendants(pid: int) -> set[int]:
    """A process and all below it."""
    found, waiting = set(), {pid}
    while waiting:
        found |= waiting
        waiting = {child for each in waiting for child in servers.children(each)} - found
    return found


def memory(pids: Iterable[int]) -> int:
    """The resident memory of the largest of these processes, in MiB."""
    found = [0]
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        if resident := re.search(r"VmRSS:\s+(\d+)", text):
            found.append(int(resident[1]) // 1024)
    return max(found)


@dataclass(frozen=True)
class Usage:
    """Seconds since the start: of a web server with its workers, of the database, of everything
    below this process, and of the machine: used by programs, taken by its host, and all."""

    web: float
    database: float
    below: float
    programs: float
    steal: float
    total: float

    def __sub__(self, other: "Usage") -> "Usage":
        mine, theirs = vars(self), vars(other)
        return Usage(**{name: mine[name] - theirs[name] for name in mine})

    @property
    def others(self) -> float:
        """The share of the machine that programs used which are not ours."""
        return max(0.0, self.programs - self.below) / self.total if self.total else 0.0

    @property
    def steal_share(self) -> float:
        return self.steal / self.total if self.total else 0.0


def usage(web: int | None, database: int | None) -> Usage:
    """Now; of a web server by the process id of its master, and of a database by its own."""
    user, nice, system, idle, waiting, irq, softirq, steal = read_machine()
    return Usage(
        web=processor_seconds(with_descendants(web)) if web else 0.0,
        database=processor_seconds([database]) if database else 0.0,
        below=processor_seconds(with_descendants(os.getpid())),
        programs=user + nice + system,
        steal=steal,
        total=user + nice + system + idle + waiting + irq + softirq + steal,
    )


def read_machine() -> list[float]:
    """The first line of /proc/stat in seconds, without the time of guests, which is part of other
    figures."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    return [int(ticks) / TICKS for ticks in line.split()[1:9]]


def settle(web: int | None, database: int | None) -> None:
    """Wait until a web server and the database have finished what they are doing."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        before = usage(web, database)
        time.sleep(LOOK_SECONDS)
        spent = usage(web, database) - before
        if spent.web + spent.database < IDLE * LOOK_SECONDS:
            return
