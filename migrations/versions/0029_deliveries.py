"""Deliveries of results."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, long_text

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    add_table(
        "delivery",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("target", bounded(500), nullable=False),
        sa.Column("origin", bounded(500), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", UtcDateTime),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", long_text()),
        sa.Column("created_by", sa.Integer),
        sa.Column("token_id", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name="fk_delivery_job_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name="fk_delivery_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("job_id", "target", name="uq_delivery_job_id_target"),
        mysql_charset="utf8mb4",
    )
    add_index("ix_delivery_state_next_at", "delivery", ["state", "next_at"])


def downgrade() -> None:
    op.drop_table("delivery")
