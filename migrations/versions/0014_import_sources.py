"""An import notes how its file was read: encoding, separator, skipped lines."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("city_import", sa.Column("source", sa.JSON))


def downgrade() -> None:
    op.drop_column("city_import", "source")
