"""People and API tokens."""

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_index, add_table, bounded

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "person",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", bounded(64), nullable=False),
        sa.Column("name_key", bounded(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("signed_in_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("name_key", name="uq_person_name_key"),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="ck_person_role"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_table(
        "api_token",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("person_id", sa.Integer, nullable=False),
        sa.Column("label", bounded(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_api_token_person_id"),
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    add_index("ix_api_token_person_id", "api_token", ["person_id"])


def downgrade() -> None:
    op.drop_table("api_token")
    op.drop_table("person")
