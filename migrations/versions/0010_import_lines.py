"""A new table for the staged lines of imports, with the values of all fields as JSON.

The table city_import_row stays for workers of the previous release, which can still confirm their
imports during an upgrade. This release does not show those: they expire within a day.
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, add_index, add_table, bounded, long_text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("city_import", sa.Column("fields", sa.JSON))
    # Confirmed imports have no lines any more; their page leads to the register.
    op.execute("UPDATE city_import SET fields = '[]' WHERE applied_at IS NOT NULL")
    add_table(
        "city_import_line",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("line", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("cells", sa.JSON, nullable=False),
        sa.Column("surplus", sa.Boolean, nullable=False),
        sa.Column("old_values", sa.JSON),
        sa.Column("new_values", sa.JSON),
        sa.Column("recorded_before", long_text()),
        sa.Column("recorded_after", long_text()),
        sa.Column("provincename", bounded(255)),
        sa.Column("cityname", bounded(255)),
        sa.Column("province_key", bounded(255)),
        sa.Column("city_key", bounded(255)),
        sa.Column("search_key", long_text()),
        sa.Column("city_id", sa.Integer),
        sa.Column("city_version", sa.Integer),
        sa.Column("faults", bounded(255), nullable=False),
        sa.Column("reason", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_city_import_line"),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["city_import.id"],
            name="fk_city_import_line_import_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind IN ('new', 'changed', 'same', 'refused')", name="ck_city_import_line_kind"
        ),
        mysql_charset="utf8mb4",
    )
    add_index(
        "ix_city_import_line_import_id_kind_line",
        "city_import_line",
        ["import_id", "kind", "line"],
    )


def downgrade() -> None:
    op.drop_table("city_import_line")
    op.drop_column("city_import", "fields")
