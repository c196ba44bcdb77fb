"""MariaDB searches cities in an index of their names, in the order of ids."""

from alembic import op

from migrations.steps import add_index, drop_index

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = "ix_city_id_province_key_city_key"


def upgrade() -> None:
    if op.get_context().dialect.name == "mysql":
        add_index(NAME, "city", ["id", "province_key", "city_key"])


def downgrade() -> None:
    drop_index(NAME, "city")
