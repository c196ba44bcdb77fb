"""The clock: a process on every host that runs the loops which packages register."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.clock import registry

    registry.init_app(app)
