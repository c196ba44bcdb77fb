"""The limits of programs that read hostile files, and how they answer. They run without our modules
(app/children.py), so each loads this file by its path; standard library only."""

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path


class Refusal(Exception):
    """Why there is no result: the name of a problem, and its figures."""

    def __init__(self, problem: str, **figures: int | str) -> None:
        super().__init__(problem)
        self.report = {"problem": problem, **figures}


def limit_self(memory: int, cpu_seconds: int, wall_seconds: int, output_bytes: int) -> None:
    """Give up what the work does not need. The parent ends this process too, but may be killed
    itself."""
    signal.alarm(wall_seconds)
    limit(resource.RLIMIT_AS, memory)
    # At the soft limit the signal is SIGXCPU, at the hard one SIGKILL, which others send too.
    limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 2)
    limit(resource.RLIMIT_FSIZE, output_bytes)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NPROC, 0)
    os.nice(10)
    with suppress(OSError):  # if memory runs out, the kernel ends this process before others
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit for good, unless there is a lower one already."""
    hard = soft if hard is None else hard
    _soft, present = resource.getrlimit(kind)
    hard = hard if present == resource.RLIM_INFINITY else min(hard, present)
    resource.setrlimit(kind, (min(soft, hard), hard))


def open_nothing_more() -> None:
    """From now on there are no files but the three that are open, and no network."""
    limit(resource.RLIMIT_NOFILE, 3)


def answer(output: bytes) -> None:
    """Make this the output, instead of anything that a library may have printed."""
    os.lseek(1, 0, os.SEEK_SET)
    os.ftruncate(1, 0)
    with os.fdopen(1, "wb", closefd=False) as file:
        file.write(output)
