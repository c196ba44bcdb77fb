"""Which backups are known to restore."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, long_text

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "backup_proof",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("made_at", UtcDateTime),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("file_count", sa.BigInteger, nullable=False),
        sa.Column("byte_count", sa.BigInteger, nullable=False),
        sa.Column("problem", long_text()),
        sa.PrimaryKeyConstraint("id", name="pk_backup_proof"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_backup_proof_at", "backup_proof", ["at"])


def downgrade() -> None:
    op.drop_table("backup_proof")
