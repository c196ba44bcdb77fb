"""The identity of the database, by which sessions notice that a backup was restored; leases."""

import secrets

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_table

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "installation",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("people_no", sa.Integer, nullable=False),
        sa.Column("people_token", sa.String(32), nullable=False),
        sa.Column("earlier_tokens", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        mysql_charset="utf8mb4",
    )
    add_table(
        "lease",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
        mysql_charset="utf8mb4",
    )
    bind = op.get_bind()
    if not bind.scalar(sa.text("SELECT COUNT(*) FROM installation")):
        row = {"token": secrets.token_hex(16), "people_token": secrets.token_hex(16)}
        insert = "INSERT INTO installation VALUES (1, :token, 0, :people_token, '')"
        bind.execute(sa.text(insert), row)


def downgrade() -> None:
    op.drop_table("lease")
    op.drop_table("installation")
