"""Staged imports of cities; an index for the number of users by province."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded, drop_index, long_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_city_provincename_usernumber", "city", ["provincename", "usernumber"])
    add_table(
        "city_import",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("person_id", sa.Integer, nullable=False),
        sa.Column("file_name", bounded(255), nullable=False),
        sa.Column("ignored", long_text(), nullable=False),
        sa.Column("has_number", sa.Boolean, nullable=False),
        sa.Column("ready", sa.Boolean, nullable=False),
        sa.Column("preview", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("applied_at", UtcDateTime),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_city_import"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_city_import_person_id"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_city_import_person_id", "city_import", ["person_id"])
    add_index("ix_city_import_created_at", "city_import", ["created_at"])
    add_table(
        "city_import_row",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("line", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("provincename", bounded(256), nullable=False),
        sa.Column("cityname", bounded(256), nullable=False),
        sa.Column("number_text", bounded(64)),
        sa.Column("surplus", sa.Boolean, nullable=False),
        sa.Column("usernumber", sa.Integer),
        sa.Column("province_key", bounded(255)),
        sa.Column("city_key", bounded(255)),
        sa.Column("search_key", long_text()),
        sa.Column("city_id", sa.Integer),
        sa.Column("city_version", sa.Integer),
        sa.Column("old_number", sa.Integer),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("reason", bounded(500), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_city_import_row"),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["city_import.id"],
            name="fk_city_import_row_import_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind IN ('new', 'changed', 'same', 'refused')", name="ck_city_import_row_kind"
        ),
        mysql_charset="utf8mb4",
    )
    add_index(
        "ix_city_import_row_import_id_kind_line", "city_import_row", ["import_id", "kind", "line"]
    )


def downgrade() -> None:
    op.drop_table("city_import_row")
    op.drop_table("city_import")
    drop_index("ix_city_provincename_usernumber", "city")
