"""A job may have a file as its result, and such a file has a time after which it is deleted."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns, add_index, drop_index

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("job", sa.Column("file_id", sa.Integer))
    add_columns("file", sa.Column("expires_at", UtcDateTime))
    add_index("ix_file_expires_at", "file", ["expires_at"])


def downgrade() -> None:
    drop_index("ix_file_expires_at", "file")
    op.drop_column("file", "expires_at")
    op.drop_column("job", "file_id")
