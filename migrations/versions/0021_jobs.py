"""Jobs, the lines of their logs, and the processes that do them."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, large_text, long_text

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
INDEXES = {
    "ix_job_state_sent_at": ["state", "sent_at"],
    "ix_job_state_id": ["state", "id"],
    "ix_job_kind_id": ["kind", "id"],
    "ix_job_created_by_id": ["created_by", "id"],
    "ix_job_about": ["about_kind", "about_id"],
    "ix_job_ended_at": ["ended_at"],
}


def upgrade() -> None:
    add_table(
        "job",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", bounded(64)),
        sa.Column("args", large_text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("progress_done", sa.BigInteger, nullable=False),
        sa.Column("progress_total", sa.BigInteger),
        sa.Column("message", long_text()),
        sa.Column("result", large_text()),
        sa.Column("about_kind", sa.String(16)),
        sa.Column("about_id", sa.BigInteger),
        sa.Column("created_by", sa.Integer),
        sa.Column("via", sa.String(8), nullable=False),
        sa.Column("token_id", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        *(
            sa.Column(name, UtcDateTime)
            for name in ("due_at", "sent_at", "started_at", "beat_at", "ended_at")
        ),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("claimed_by", bounded(255)),
        sa.Column("running_key", sa.String(32)),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name="fk_job_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("key", name="uq_job_key"),
        sa.UniqueConstraint("running_key", name="uq_job_running_key"),
        mysql_charset="utf8mb4",
    )
    for name, columns in INDEXES.items():
        add_index(name, "job", columns)
    add_table(
        "job_line",
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("message", long_text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name="fk_job_line_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_line"),
        mysql_charset="utf8mb4",
    )
    add_table(
        "worker",
        sa.Column("name", bounded(255), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("beat_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    for table in ("worker", "job_line", "job"):
        op.drop_table(table)
