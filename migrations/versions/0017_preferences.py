"""A person may choose a language, a time zone and the number of rows of a page."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "person",
        sa.Column("language", sa.String(8)),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("page_size", sa.Integer()),
    )


def downgrade() -> None:
    for name in ("page_size", "time_zone", "language"):
        op.drop_column("person", name)
