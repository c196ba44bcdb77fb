"""An import notes how its file was chosen to be read, a person the encoding chosen last."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("city_import", sa.Column("reading", sa.JSON))
    add_columns("person", sa.Column("file_codec", sa.String(16)))


def downgrade() -> None:
    op.drop_column("person", "file_codec")
    op.drop_column("city_import", "reading")
