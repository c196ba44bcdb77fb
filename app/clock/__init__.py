"""The clock: one process that does the housekeeping that packages register, each job when it is
due. Of several hosts' clocks one at a time holds the lease and does it."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.clock import registry

    registry.init_app(app)
