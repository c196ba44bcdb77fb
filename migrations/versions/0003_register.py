"""Removed cities, for undo; idempotency keys of forms; an index on the time of change."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, drop_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_city_changed_at", "city", ["changed_at"])
    add_table(
        "removed_city",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("city_id", sa.Integer, nullable=False),
        sa.Column("provincename", bounded(255)),
        sa.Column("cityname", bounded(255)),
        sa.Column("usernumber", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime),
        sa.Column("changed_at", UtcDateTime),
        sa.Column("removed_at", UtcDateTime, nullable=False),
        sa.Column("removed_by", bounded(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removed_city"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_removed_city_removed_at", "removed_city", ["removed_at"])
    add_table(
        "form_key",
        sa.Column("key", bounded(80), nullable=False),
        sa.Column("result_id", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_form_key"),
        mysql_charset="utf8mb4",
    )
    add_index("ix_form_key_created_at", "form_key", ["created_at"])


def downgrade() -> None:
    op.drop_table("form_key")
    op.drop_table("removed_city")
    drop_index("ix_city_changed_at", "city")
