"""Expiry of passwords that an administrator has set."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("person", sa.Column("password_ends_at", UtcDateTime))


def downgrade() -> None:
    op.drop_column("person", "password_ends_at")
