"""Deliveries: the result of a job is sent to a server of the list, signed, and again until it is
received.

The row of a delivery is the truth. The clock sends what is due (dispatch.py), each server in a
thread of its own, so that a slow one delays nothing else.
"""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page's button and what the clock does."""
    from app.clock import registry
    from app.jobs.deliveries import dispatch, views

    app.register_blueprint(views.bp)
    work = dispatch.Dispatcher(app).work
    registry.add(app, "results delivered", dispatch.POLL_SECONDS, work, apart=True)
