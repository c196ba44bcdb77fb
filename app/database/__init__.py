"""The database: engine, column types, transactions, idempotency, paging, schema."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.database.engine import db

    db.init_app(app)
