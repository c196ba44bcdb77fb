"""Alembic's environment: it uses the application's database without its time limits. A web request
gives up after two seconds; migrating a large table may take minutes."""

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo
from flask import current_app
from sqlalchemy import Connection

from app.cli.progress import Progress
from app.database.engine import create_command_engine, db
from app.database.schema import STEPS_LOCK, SchemaError, take_lock


def prepare_connection(connection: Connection) -> None:
    """Set up the connection before its first transaction. SQLite changes a table by copying it and
    dropping the old one, which with foreign keys would delete the rows that refer to it. MariaDB
    goes on with a statement of a process that was killed, which the lock waits for."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        driver.execute("PRAGMA foreign_keys=OFF")
    else:
        driver.cursor().execute("SET SESSION default_storage_engine=InnoDB")
        take_lock(connection, STEPS_LOCK)


def broken_references(connection: Connection) -> set[Any]:
    """The rows that refer to a missing row: table, row, table referred to, key."""
    if connection.dialect.name != "sqlite":
        return set()
    return set(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


engine = create_command_engine(db.engine.url)
with engine.connect() as connection:
    prepare_connection(connection)
    broken_before = broken_references(connection)
    connection.rollback()

    def check_references(**_step: Any) -> None:
        """Called at the end of each migration, in its transaction."""
        broken = broken_references(connection) - broken_before
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise SchemaError(
                f"A migration leaves {len(broken)} rows of {tables} without a parent."
            )

    revisions = [script.revision for script in reversed(list(context.script.walk_revisions()))]
    report = Progress()

    def report_step(step: MigrationInfo, **_more: Any) -> None:
        if step.is_upgrade:
            report("migrations", revisions.index(step.up_revision_id) + 1, len(revisions))

    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        # SQLite cannot alter a column: Alembic copies the table instead.
        render_as_batch=True,
        transaction_per_migration=True,
        on_version_apply=(check_references, report_step),
    )
    current_app.logger.debug("migrating %s", connection.dialect.name)
    with context.begin_transaction():
        context.run_migrations()
