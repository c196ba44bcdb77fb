"""Shared files: one row per version of a file; the bytes are in the storage folder."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, long_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNIQUE = ("owner_id", "folder", "name", "version")


def upgrade() -> None:
    add_table(
        "file",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("folder", bounded(500), nullable=False),
        sa.Column("name", bounded(255), nullable=False),
        sa.Column("ending", bounded(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content_type", sa.String(127), nullable=False),
        sa.Column("stored_name", sa.String(64), nullable=False),
        sa.Column("former_name", bounded(255)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("replaced_at", UtcDateTime),
        sa.Column("removed_at", UtcDateTime),
        sa.Column("removed_by", sa.Integer),
        sa.Column("downloads", sa.Integer, nullable=False),
        sa.Column("name_key", bounded(255), nullable=False),
        sa.Column("search_key", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_file"),
        sa.UniqueConstraint("stored_name", name="uq_file_stored_name"),
        sa.UniqueConstraint(*UNIQUE, name="uq_file_" + "_".join(UNIQUE)),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_file_owner_id"),
        sa.ForeignKeyConstraint(["removed_by"], ["person.id"], name="fk_file_removed_by"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    for column in ("name", "former_name", "name_key", "size", "removed_at"):
        add_index(f"ix_file_{column}", "file", [column])


def downgrade() -> None:
    """Drop the table; the stored files stay."""
    op.drop_table("file")
