"""Schedules and their runs."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, large_text

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "schedule",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", bounded(80), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("args", large_text(), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("expression", bounded(200), nullable=False),
        sa.Column("time_zone", bounded(64), nullable=False),
        sa.Column("starts_at", UtcDateTime, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("coalesce", sa.Boolean, nullable=False),
        sa.Column("at_once", sa.Integer, nullable=False),
        sa.Column("grace_seconds", sa.Integer, nullable=False),
        sa.Column("next_at", UtcDateTime),
        sa.Column("person_id", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_schedule_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.UniqueConstraint("name", name="uq_schedule_name"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_schedule_next_at", "schedule", ["next_at"])
    add_table(
        "schedule_run",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("schedule_id", sa.Integer, nullable=False),
        sa.Column("planned_at", UtcDateTime, nullable=False),
        sa.Column("missed_until", UtcDateTime),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("job_id", sa.BigInteger),
        sa.Column("host", bounded(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedule.id"],
            name="fk_schedule_run_schedule_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name="fk_schedule_run_job_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_run"),
        sa.UniqueConstraint("schedule_id", "planned_at", name="uq_schedule_run_schedule_id"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_schedule_run_state", "schedule_run", ["state"])
    add_index("ix_schedule_run_job_id", "schedule_run", ["job_id"])


def downgrade() -> None:
    for table in ("schedule_run", "schedule"):
        op.drop_table(table)
