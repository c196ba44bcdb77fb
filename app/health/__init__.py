"""Health checks: /healthz (alive) and /readyz (ready)."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.health import proxy, views

    app.register_blueprint(views.bp)
    proxy.init_app(app)
