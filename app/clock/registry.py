"""The jobs of the clock. A package registers its own in its init_app:

    registry.add(app, "expired imports", 300, staging.delete_expired)

A job is bounded, works in short transactions, and does no harm if it runs twice, also at once.
Nothing may depend on when it runs: readers filter by time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

EXTENSION = "gazetteer-clock"


@dataclass(frozen=True)
class Task:
    """A piece of housekeeping. `per_host` is for what each host has of its own, such as a folder:
    it runs on every host's clock. `apart` is for what others must not delay: it has a thread of its
    own on every host's clock."""

    name: str
    every_seconds: float
    work: Callable[[], object]
    per_host: bool = False
    apart: bool = False


def init_app(app: Flask) -> None:
    app.extensions[EXTENSION] = {}


def add(
    app: Flask,
    name: str,
    every_seconds: float,
    work: Callable[[], object],
    per_host: bool = False,
    apart: bool = False,
) -> None:
    """Register a job; its name is for the log."""
    jobs_of(app)[name] = Task(name, every_seconds, work, per_host, apart)


def jobs_of(app: Flask) -> dict[str, Task]:
    """The registered jobs by name."""
    found: dict[str, Task] = app.extensions[EXTENSION]
    return found
