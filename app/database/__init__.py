"""The database: engine, column types, transactions, idempotency, paging, schema."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind Flask-SQLAlchemy to the application, and measure what it sends."""
    from app.database import timing
    from app.database.engine import db
    from app.database.failures import release_connection

    db.init_app(app)
    app.teardown_appcontext(release_connection)
    with app.app_context():
        timing.listen(db.engine)
