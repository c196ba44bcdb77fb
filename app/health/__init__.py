"""Health checks: /healthz (alive) and /readyz (ready)."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.database.failures import on_refusal
    from app.health import proxy, refusals, views

    app.register_blueprint(views.bp)
    proxy.init_app(app)
    on_refusal(app, refusals.note_refusal)
