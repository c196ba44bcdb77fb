"""Schedules that ship with the product, and what went wrong with housekeeping."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns, add_index, bounded, long_text

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("schedule", sa.Column("shipped", bounded(80)), sa.Column("ran_at", UtcDateTime))
    add_index("ix_schedule_shipped", "schedule", ["shipped"], unique=True)
    add_columns("schedule_run", sa.Column("message", long_text()))


def downgrade() -> None:
    op.drop_column("schedule_run", "message")
    op.drop_index("ix_schedule_shipped", "schedule")
    for column in ("shipped", "ran_at"):
        op.drop_column("schedule", column)
