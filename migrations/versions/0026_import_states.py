"""Imports have a state, counts and a job, and lines what became of them; the operator's belong to
nobody."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns, add_index, drop_index

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KINDS = ("new", "changed", "same", "refused")
COUNTS = (
    *(f"lines_{kind}" for kind in KINDS),
    "staged_line", "applied_line", "undone_line", "skipped", "removed", "reverted", "kept",
)  # fmt: skip
NAMES_INDEX = "ix_city_import_line_import_id_name_digest"


def upgrade() -> None:
    zero = sa.text("0")
    add_columns(
        "city_import",
        # The previous release, which does not know states, inserts rows during an upgrade.
        sa.Column("state", sa.String(12), nullable=False, server_default="stored"),
        sa.Column("job_id", sa.BigInteger),
        sa.Column("samples", sa.JSON),
        *(sa.Column(name, sa.Integer, nullable=False, server_default=zero) for name in COUNTS),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("undone_at", UtcDateTime),
    )
    with op.batch_alter_table("city_import", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("person_id", existing_type=sa.Integer, nullable=True)
    add_columns(
        "city_import_line",
        sa.Column("outcome", sa.String(8)),
        sa.Column("name_digest", sa.BINARY(20)),
    )
    add_index(NAMES_INDEX, "city_import_line", ["import_id", "name_digest"])
    fill_states()


def fill_states() -> None:
    """Say of present imports what they are; confirmed ones have no lines any more."""
    op.execute(
        "UPDATE city_import SET state = 'applied', finished_at = applied_at, "
        "lines_new = added, lines_changed = changed WHERE applied_at IS NOT NULL"
    )
    lines = "(SELECT {} FROM city_import_line WHERE import_id = city_import.id{})"
    counts = (
        f"lines_{kind} = " + lines.format("COUNT(*)", f" AND kind = '{kind}'") for kind in KINDS
    )
    last = lines.format("COALESCE(MAX(line), 0)", "")
    op.execute(
        f"UPDATE city_import SET state = 'staged', staged_line = {last}, {', '.join(counts)} "  # noqa: S608
        "WHERE applied_at IS NULL AND fields IS NOT NULL"
    )


def downgrade() -> None:
    drop_index(NAMES_INDEX, "city_import_line")
    for name in ("name_digest", "outcome"):
        op.drop_column("city_import_line", name)
    # The release before has no imports of the operator.
    op.execute(
        "DELETE FROM city_import_line WHERE import_id IN "
        "(SELECT id FROM city_import WHERE person_id IS NULL)"
    )
    op.execute("DELETE FROM city_import WHERE person_id IS NULL")
    with op.batch_alter_table("city_import", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("person_id", existing_type=sa.Integer, nullable=False)
    for name in ("undone_at", "finished_at", *reversed(COUNTS), "samples", "job_id", "state"):
        op.drop_column("city_import", name)
