"""The loops of the clock. A package registers its own in its init_app:

    registry.add(app, "left-over uploads deleted", 3600, purging.remove_all_leftovers)

Each runs on the clock of every host, so it is for what each host has of its own, such as a folder,
and for what finds out itself which of several clocks acts. Housekeeping that is done once for all
hosts is a schedule (app/schedules/shipped.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

EXTENSION = "gazetteer-clock"


@dataclass(frozen=True)
class Loop:
    """Work that is repeated. `apart` is for what others must not delay: it has a thread of its
    own."""

    name: str
    every_seconds: float
    work: Callable[[], object]
    apart: bool = False


def init_app(app: Flask) -> None:
    app.extensions[EXTENSION] = {}


def add(
    app: Flask,
    name: str,
    every_seconds: float,
    work: Callable[[], object],
    apart: bool = False,
) -> None:
    """Register a loop; its name is for the log."""
    loops_of(app)[name] = Loop(name, every_seconds, work, apart)


def loops_of(app: Flask) -> dict[str, Loop]:
    """The registered loops by name."""
    found: dict[str, Loop] = app.extensions[EXTENSION]
    return found
