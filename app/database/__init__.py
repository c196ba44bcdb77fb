"""The database: engine, column types, transactions, idempotency, paging, schema."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.clock import registry
    from app.database import idempotency, limits, stored_keys, timing
    from app.database.engine import db, listen, truncate_wal
    from app.database.failures import close_session

    url, web = app.config["SQLALCHEMY_DATABASE_URI"], app.config["WEB"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = limits.engine_options(url, web)
    db.init_app(app)
    registry.add(app, "keys of old forms deleted", 600, idempotency.delete_old_keys)
    registry.add(app, "search keys", 10, stored_keys.step)
    app.teardown_appcontext(close_session)
    with app.app_context():
        listen(db.engine)
        timing.listen(db.engine)
        if db.engine.dialect.name == "mysql":
            from app.database import mariadb

            mariadb.listen(db.engine)
            return
        registry.add(app, "bytes of the write-ahead log freed", 10, truncate_wal)
        if web:
            limits.pace(db.engine)
