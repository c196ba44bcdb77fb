"""How Alembic reaches the database: through the application's own engine."""

from alembic import context
from flask import current_app

from app.extensions import db

with db.engine.connect() as connection:
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
