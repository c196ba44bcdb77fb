"""The names that a city's search keys were made from, so that the database finds outdated keys."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import add_columns, add_index, bounded, drop_index, is_being_adopted

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# A missing name and an empty one have the same key.
KEYS_DUE = (
    "province_key IS NULL OR COALESCE(provincename, '') <> COALESCE(keyed_province, '') "
    "OR COALESCE(cityname, '') <> COALESCE(keyed_city, '')"
)


def upgrade() -> None:
    add_columns(
        "city",
        sa.Column("keyed_province", bounded(255)),
        sa.Column("keyed_city", bounded(255)),
        sa.Column("keys_due", sa.Boolean, sa.Computed(KEYS_DUE, persisted=False)),
    )
    if not is_being_adopted():
        note_names()
    add_index("ix_city_keys_due", "city", ["keys_due"])


def note_names() -> None:
    """Keys that equal the names in lower case are up to date. The original program may have changed
    some of the other names, so those keys are made again at the next search."""
    op.execute(
        "UPDATE city SET keyed_province = provincename, keyed_city = cityname "
        "WHERE LOWER(TRIM(COALESCE(provincename, ''))) = province_key "
        "AND LOWER(TRIM(COALESCE(cityname, ''))) = city_key"
    )


def downgrade() -> None:
    drop_index("ix_city_keys_due", "city")
    for column in ("keys_due", "keyed_province", "keyed_city"):
        op.drop_column("city", column)
