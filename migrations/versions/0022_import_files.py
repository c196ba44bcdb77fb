"""The file of an import is stored; lines note what is wrong with cells of a workbook."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "city_import",
        sa.Column("stored_name", sa.String(40)),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
    )
    add_columns("city_import_line", sa.Column("problems", sa.JSON))


def downgrade() -> None:
    op.drop_column("city_import_line", "problems")
    for name in ("sha256", "size", "stored_name"):
        op.drop_column("city_import", name)
