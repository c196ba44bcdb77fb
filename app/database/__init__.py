"""The database: engine, column types, transactions, idempotency, paging, schema."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.clock import registry
    from app.database import idempotency, limits, stored_keys, timing
    from app.database.engine import db, listen, truncate_wal
    from app.database.failures import close_session
    from app.schedules.shipped import add_housekeeping

    url, web = app.config["SQLALCHEMY_DATABASE_URI"], app.config["WEB"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = limits.engine_options(url, web)
    db.init_app(app)
    delete_keys, step = idempotency.delete_old_keys, stored_keys.step
    add_housekeeping(app, "forms.delete_keys", _l("Delete the keys of old forms"), 600, delete_keys)
    add_housekeeping(app, "database.search_keys", _l("Renew search keys"), 10, step)
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
