"""A file has the name it was sent with, if that is another one, and what is wrong with it."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, bounded

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("file", sa.Column("sent_name", bounded(1020)), sa.Column("flaw", sa.String(32)))


def downgrade() -> None:
    op.drop_column("file", "flaw")
    op.drop_column("file", "sent_name")
