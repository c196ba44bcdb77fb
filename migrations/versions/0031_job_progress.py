"""The farthest that the attempts at a job have come."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("progress_most", sa.BigInteger, nullable=False, server_default="0")
    add_columns("job", column)


def downgrade() -> None:
    op.drop_column("job", "progress_most")
