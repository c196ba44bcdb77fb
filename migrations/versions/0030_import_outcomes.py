"""Lines of imports are listed by what became of them."""

from migrations.steps import add_index, drop_index

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INDEX = "ix_city_import_line_import_id_outcome_line"


def upgrade() -> None:
    add_index(INDEX, "city_import_line", ["import_id", "outcome", "line"])


def downgrade() -> None:
    drop_index(INDEX, "city_import_line")
