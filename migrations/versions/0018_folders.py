"""Folders have rows, and files are listed by folder, in each order.

The rows of the folders of existing files are added by `flask prepare` after the migrations, in
short transactions: one long one would make the running release wait.
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ORDERS = ("created_at", "name_key", "size", "owner_id")


def upgrade() -> None:
    add_table(
        "folder",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("path", bounded(500), nullable=False),
        sa.Column("parent", bounded(500), nullable=False),
        sa.Column("name_key", bounded(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.Integer),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name="fk_folder_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_folder"),
        sa.UniqueConstraint("path", name="uq_folder_path"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_folder_listed", "folder", ["parent", "name_key"])
    for column in ORDERS:
        columns = ["folder", "replaced_at", "removed_at", column]
        add_index(f"ix_file_in_folder_{column}", "file", columns)


def downgrade() -> None:
    for column in ORDERS:
        op.drop_index(f"ix_file_in_folder_{column}", "file")
    op.drop_table("folder")
