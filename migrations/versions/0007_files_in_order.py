"""Indexes for each sort order of the list of files. One is the time of upload, which does not
follow the ids: for adopted files it is earlier."""

from alembic import op

from migrations.steps import add_index, drop_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("created_at", "name_key", "size", "owner_id"):
        add_index(f"ix_file_listed_{column}", "file", ["replaced_at", "removed_at", column])
    for column in ("name_key", "size"):
        drop_index(f"ix_file_{column}", "file")


def downgrade() -> None:
    op.create_index("ix_file_size", "file", ["size"])
    op.create_index("ix_file_name_key", "file", ["name_key"])
    for column in ("created_at", "name_key", "size", "owner_id"):
        op.drop_index(f"ix_file_listed_{column}", "file")
