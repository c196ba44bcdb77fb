"""Health checks: /healthz (alive) and /readyz (ready)."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.database.failures import on_refusal
    from app.health import views, warnings

    app.register_blueprint(views.bp)
    on_refusal(app, warnings.note_refusal)
    if app.config["SETTINGS"].trusted_proxies == 0:
        app.before_request(views.note_proxy)
