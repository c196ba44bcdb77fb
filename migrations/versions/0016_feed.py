"""Of the entries of a bulk change the feed reads the first alone; removed cities are found by the
id of the city."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, add_index, drop_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The derived table is for MariaDB, which does not read the table that it updates.
FOLD = """
    UPDATE history SET folded = 1
    WHERE batch_id IS NOT NULL AND folded = 0 AND id NOT IN (
        SELECT first FROM (
            SELECT MIN(id) AS first FROM history
            WHERE batch_id IS NOT NULL GROUP BY batch_id, action
        ) AS firsts
    )
"""


def upgrade() -> None:
    add_columns("history", sa.Column("folded", sa.Boolean, server_default="0", nullable=False))
    op.execute(FOLD)
    add_index("ix_history_folded", "history", ["folded", "id"])
    add_index("ix_removed_city_city_id", "removed_city", ["city_id"])


def downgrade() -> None:
    drop_index("ix_removed_city_city_id", "removed_city")
    drop_index("ix_history_folded", "history")
    op.drop_column("history", "folded")
