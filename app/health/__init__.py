"""Health checks: whether the application is alive and ready."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register /healthz and /readyz."""
    from app.health import views

    app.register_blueprint(views.bp)
