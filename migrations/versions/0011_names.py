"""Provinces are compared by what is seen of their names; names of cities can be locked.

The new column is filled by `flask prepare` after the migrations, in short transactions: one long
one would make the running release wait. That release goes on comparing names as they are written.
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, add_index, add_table, bounded, drop_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("city", "city_import_line")
INDEXES = {
    "ix_city_province_same": ["province_same"],
    "ix_city_province_same_usernumber": ["province_same", "usernumber"],
}


def upgrade() -> None:
    for table in TABLES:
        add_columns(table, sa.Column("province_same", bounded(255)))
    for name, columns in INDEXES.items():
        add_index(name, "city", columns)
    add_table(
        "name_lock",
        sa.Column("digest", sa.BINARY(20), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_name_lock"),
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    op.drop_table("name_lock")
    for name in INDEXES:
        drop_index(name, "city")
    for table in TABLES:
        op.drop_column(table, "province_same")
