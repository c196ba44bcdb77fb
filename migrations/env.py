"""Alembic's environment: it uses the application's database without its time-outs. A web request
gives up after two seconds; migrating a large table may take minutes."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.database.engine import db

engine = create_engine(db.engine.url, poolclass=NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        # SQLite cannot alter a column: Alembic copies the table instead.
        render_as_batch=True,
        transaction_per_migration=True,
    )
    current_app.logger.debug("migrating %s", connection.dialect.name)
    with context.begin_transaction():
        context.run_migrations()
