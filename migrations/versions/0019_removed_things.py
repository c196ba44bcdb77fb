"""Removed cities are searched; lists of removed things are emptied."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns, add_table, long_text

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("removed_city", sa.Column("search_key", long_text()))
    add_table(
        "emptied",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("until_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_emptied"),
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    op.drop_table("emptied")
    op.drop_column("removed_city", "search_key")
