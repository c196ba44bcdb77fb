"""The history: one entry per change."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, long_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_history_subject": ["subject_kind", "subject_id", "id"],
    "ix_history_subject_kind": ["subject_kind", "id"],
    "ix_history_actor": ["actor_id", "id"],
    "ix_history_action": ["action", "id"],
    "ix_history_batch": ["batch_id", "id"],
    "ix_history_at": ["at"],
}


def upgrade() -> None:
    add_table(
        "history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor_id", sa.Integer),
        sa.Column("via", sa.String(8), nullable=False),
        sa.Column("token_id", sa.Integer),
        sa.Column("request_id", bounded(64)),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("old_values", long_text()),
        sa.Column("new_values", long_text()),
        sa.Column("version", sa.Integer),
        sa.Column("batch_id", bounded(32)),
        sa.Column("reverts_id", sa.BigInteger),
        sa.Column("visible_to", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    for name, columns in INDEXES.items():
        add_index(name, "history", columns)


def downgrade() -> None:
    op.drop_table("history")
