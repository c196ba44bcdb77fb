"""Of the entries of a bulk change the feed reads the first alone; removed cities are found by the
id of the city."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, add_index, drop_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BATCH = 1000


def upgrade() -> None:
    add_columns("history", sa.Column("folded", sa.Boolean, server_default="0", nullable=False))
    fold_entries()
    add_index("ix_history_folded", "history", ["folded", "id"])
    add_index("ix_removed_city_city_id", "removed_city", ["city_id"])


def fold_entries() -> None:
    """Mark all entries of a bulk change but the first of each action, some at a time: for a large
    history one statement would be one large transaction on MariaDB."""
    bind = op.get_bind()
    history = sa.table("history", *map(sa.column, ("id", "batch_id", "action", "folded")))
    query = sa.select(history.c.id, history.c.batch_id, history.c.action).order_by(history.c.id)
    query = query.where(history.c.batch_id.is_not(None)).limit(BATCH)
    last, seen = 0, set()
    while rows := bind.execute(query.where(history.c.id > last)).all():
        firsts = {(row.batch_id, row.action): row.id for row in reversed(rows)}
        firsts = {key: row_id for key, row_id in firsts.items() if key not in seen}
        seen |= set(firsts)
        later = [row.id for row in rows if firsts.get((row.batch_id, row.action)) != row.id]
        bind.execute(history.update().where(history.c.id.in_(later)).values(folded=True))
        if bind.dialect.name == "mysql":  # SQLite migrates in one transaction
            bind.exec_driver_sql("COMMIT")
        last = rows[-1].id


def downgrade() -> None:
    drop_index("ix_removed_city_city_id", "removed_city")
    drop_index("ix_history_folded", "history")
    op.drop_column("history", "folded")
