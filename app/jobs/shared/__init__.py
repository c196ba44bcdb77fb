"""Results that belong to nobody, as those of /pi: sums, and digests of texts."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.jobs import kinds
    from app.jobs.shared import views, work

    for kind in work.KINDS:
        kinds.add(app, kind)
    app.register_blueprint(views.bp)
