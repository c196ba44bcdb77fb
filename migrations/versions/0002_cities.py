"""Cities: create the table, or adopt the original program's without losing a row or an id."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.steps import (
    UtcDateTime,
    add_index,
    add_table,
    bounded,
    columns_of,
    drop_index,
    long_text,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_city_provincename": ["provincename"],
    "ix_city_cityname_provincename": ["cityname", "provincename"],
    "ix_city_usernumber": ["usernumber"],
    "ix_city_province_key": ["province_key"],
    "ix_city_city_key": ["city_key"],
}


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("city"):
        adopt()
    else:
        create()
    for name, columns in INDEXES.items():
        add_index(name, "city", columns)


def utc_now() -> sa.TextClause:
    """The default for rows that the original program inserts. SQLite compares times as text, so it
    must store six decimal places like SQLAlchemy."""
    on_mysql = op.get_bind().dialect.name == "mysql"
    return sa.text(
        "(UTC_TIMESTAMP(6))" if on_mysql else "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"
    )


def create() -> None:
    add_table(
        "city",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("provincename", bounded(255)),
        sa.Column("cityname", bounded(255)),
        sa.Column("usernumber", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", UtcDateTime, server_default=utc_now()),
        sa.Column("changed_at", UtcDateTime, server_default=utc_now()),
        sa.Column("province_key", bounded(255)),
        sa.Column("city_key", bounded(255)),
        sa.Column("search_key", long_text()),
        sa.PrimaryKeyConstraint("id", name="pk_city"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )


def adopt() -> None:
    """Add our columns that are missing; an interrupted run may have added some. The times of
    adopted rows are unknown and stay empty."""
    present = columns_of("city")
    missing = [column for column in our_columns() if column.name not in present]
    with op.batch_alter_table("city", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("provincename", "cityname"):
            # Compared by code points, whatever the table's collation was.
            table.alter_column(column, type_=bounded(255), existing_type=sa.String(255))
        for column in missing:
            table.add_column(column)
    with op.batch_alter_table("city", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("created_at", "changed_at"):
            table.alter_column(column, existing_type=UtcDateTime(), server_default=utc_now())


def our_columns() -> list[sa.Column[Any]]:
    """The columns that are added to the original's four."""
    return [
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", UtcDateTime),
        sa.Column("changed_at", UtcDateTime),
        sa.Column("province_key", bounded(255)),
        sa.Column("city_key", bounded(255)),
        sa.Column("search_key", long_text()),
    ]


def downgrade() -> None:
    """Drop our columns; the original's four and all rows stay."""
    for name in INDEXES:
        drop_index(name, "city")
    with op.batch_alter_table("city", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in (
            "version", "created_at", "changed_at", "province_key", "city_key", "search_key",
        ):  # fmt: skip
            table.drop_column(column)
